/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a request on the main thread. It is answered exactly once, either at once or when the model has
 * completed the operation. The reason of each failure is stored for last_error.
 */
#include "tree/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/*
 * The kernel asks each time for names that can be created and removed. It caches the contents of a folder as
 * long as the folder exists.
 */
#define FOREVER_S 86400.0

void tree_request_free(struct tree_request *request)
{
	list_del(&request->node);
	free(request->name);
	free(request->data);
	free(request);
}

bool tree_request_is_owners(const struct tree_request *request)
{
	uid_t uid = fuse_req_ctx(request->fuse)->uid;

	return uid == 0 || uid == request->tree->uid;
}

void tree_answer(struct tree_request *request, int err)
{
	fuse_reply_err(request->fuse, -err);
	tree_request_free(request);
}

static void keep_reason(struct tree *tree, const char *text)
{
	snprintf(tree->last_error, sizeof(tree->last_error), "%s", text);
	text_hide_control_chars(tree->last_error);
}

void tree_refuse_error(struct tree_request *request, int err, const struct error *error)
{
	keep_reason(request->tree, error->text);
	tree_answer(request, err);
}

void tree_refuse(struct tree_request *request, int err, const char *format, ...)
{
	struct error error;
	va_list args;

	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	tree_refuse_error(request, -err, &error);
}

void tree_answer_entry(struct tree_request *request, const struct tree_node *node)
{
	const bool is_fixed =
	    node->type != TREE_NODE_LINK && (node->type != TREE_NODE_DIRECTORY || node->index != 0);
	struct fuse_entry_param entry = {
	    .ino = tree_node_number(node),
	    .attr_timeout = FOREVER_S,
	    .entry_timeout = is_fixed ? FOREVER_S : 0,
	};

	tree_node_stat(request->tree, node, &entry.attr);
	fuse_reply_entry(request->fuse, &entry);
	tree_request_free(request);
}

void tree_answer_attr(struct tree_request *request, const struct tree_node *node)
{
	struct stat st;

	tree_node_stat(request->tree, node, &st);
	fuse_reply_attr(request->fuse, &st, FOREVER_S);
	tree_request_free(request);
}

void tree_answer_open(struct tree_request *request)
{
	struct fuse_file_info info = {.fh = (uintptr_t)request->open, .direct_io = 1};

	/* A program that was interrupted meanwhile does not close a file that it has not received. */
	list_add_tail(&request->tree->opens, &request->open->node);
	if (fuse_reply_open(request->fuse, &info))
		tree_open_free(request->open);
	tree_request_free(request);
}

void tree_open_free(struct tree_open *open)
{
	list_del(&open->node);
	free(open->data);
	free(open);
}

void tree_answer_write(struct tree_request *request)
{
	fuse_reply_write(request->fuse, request->size);
	tree_request_free(request);
}

/* Handles a request that on_interrupt() has posted. Its number is the wait_id of the interrupted request. */
static void run_interrupt(struct tree_request *interrupt)
{
	struct list *node, *tmp;

	list_for_each (&interrupt->tree->waiting, node, tmp) {
		struct tree_request *request = list_entry(node, struct tree_request, node);

		if ((uintptr_t)request->wait_id != interrupt->number || !request->fuse)
			continue;
		fuse_reply_err(request->fuse, EINTR);
		request->fuse = NULL;
	}
	tree_request_free(interrupt);
}

/*
 * Is called on the thread of the tree, or on the main thread in tree_wait(). The request may end at any time,
 * so it is identified only by its wait_id.
 */
static void on_interrupt(fuse_req_t fuse, void *wait_id)
{
	struct tree_request *interrupt = calloc(1, sizeof(*interrupt));

	/* If there is no memory, the program waits until the operation has ended. */
	if (!interrupt)
		return;
	interrupt->number = (uintptr_t)wait_id;
	interrupt->run = run_interrupt;
	tree_session_post(fuse_req_userdata(fuse), interrupt);
}

void tree_wait(struct tree_request *request)
{
	request->wait_id = ++request->tree->last_wait;
	list_add_tail(&request->tree->waiting, &request->node);
	fuse_req_interrupt_func(request->fuse, on_interrupt, (void *)(uintptr_t)request->wait_id);
}

/*
 * Is called when a request has ended for whose answer nobody waits any more. A failure is stored for
 * last_error, unless the tree has ended.
 */
static void end_unanswered(struct tree_request *request, int err, const struct error *error)
{
	if (err && request->tree)
		keep_reason(request->tree, error->text);
	tree_request_free(request);
}

void tree_done(void *arg, int err, const struct error *error)
{
	struct tree_request *request = arg;

	if (!request->fuse)
		end_unanswered(request, err, error);
	else if (err)
		tree_refuse_error(request, err, error);
	else if (request->size)
		tree_answer_write(request);
	else
		tree_answer(request, 0);
}

void tree_requests_end(struct tree *tree)
{
	struct list *node;

	while ((node = list_pop(&tree->waiting))) {
		struct tree_request *request = list_entry(node, struct tree_request, node);

		if (request->fuse)
			fuse_reply_err(request->fuse, ENODEV);
		request->fuse = NULL;
		request->tree = NULL;
	}
	while ((node = list_pop(&tree->opens)))
		tree_open_free(list_entry(node, struct tree_open, node));
}
