/* SPDX-License-Identifier: Apache-2.0 */
/* contract() ends the process in every kind of build, and does nothing while its condition holds. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* The macro must not depend on NDEBUG, which some kinds of builds set. */
#define NDEBUG
#include "util/contract.h"

static int evaluations;

static bool condition(bool value)
{
	evaluations++;
	return value;
}

static void a_true_condition_is_evaluated_once(void **state)
{
	(void)state;
	evaluations = 0;
	contract(condition(true));
	assert_int_equal(evaluations, 1);
}

/* Breaks a contract in a child process and returns the text that the child wrote to standard error. */
static size_t break_contract(char *text, size_t size, int *status)
{
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		const struct rlimit no_core = {0, 0};

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		dup2(pipe_fds[1], STDERR_FILENO);
		contract(condition(false));
		_exit(0);
	}
	close(pipe_fds[1]);
	size_t len = 0;
	ssize_t n;
	while (len < size - 1 && (n = read(pipe_fds[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(pipe_fds[0]);
	assert_int_equal(waitpid(child, status, 0), child);
	return len;
}

static void a_false_condition_aborts_and_names_the_place(void **state)
{
	char text[1024];
	int status;

	(void)state;
	break_contract(text, sizeof(text), &status);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text, "condition(false)"));
	assert_non_null(strstr(text, "test_contract.c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_true_condition_is_evaluated_once),
	    cmocka_unit_test(a_false_condition_aborts_and_names_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
