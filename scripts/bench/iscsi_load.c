/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load on an iSCSI LUN: keeps `depth` commands outstanding on each of `sessions` sessions, from one thread,
 * and prints one line of key=value: iops, bytes a second, latency percentiles, and the CPU time of the served
 * process.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#define WARMUP_NS    300000000ull
#define MAX_SESSIONS 64
#define BUCKET_BITS  5 /* 32 buckets for each power of two: 3 % resolution */
#define BUCKETS      (64u << BUCKET_BITS)

struct load {
	unsigned sessions, depth, bytes;
	bool write, random;
	double seconds;
	pid_t pid; /* whose CPU time to measure, 0: none */
	uint32_t block_size;
	uint64_t nslots;     /* pieces of `bytes` that the LUN holds */
	uint64_t begin, end; /* of the measured interval; completions outside of it do not count */
	uint64_t ops;
	uint64_t cpu_begin;
	uint64_t histogram[BUCKETS];
};

struct session {
	struct load *load;
	struct iscsi_context *iscsi;
	int lun;
	uint64_t next; /* slot, when sequential */
	unsigned outstanding;
};

/* One command slot; reused for each command that follows. */
struct slot {
	struct session *session;
	unsigned char *buffer;
	uint64_t started;
};

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("iscsi_load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_FAILURE);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* CPU time of all threads of a process. */
static uint64_t cpu_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (!pid)
		return 0;
	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		die("no CPU time of process %d", (int)pid);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static uint64_t random_u64(void)
{
	static uint64_t x = 88172645463325252ull; /* xorshift: the same sequence for both sides */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned log2 = 63u - (unsigned)__builtin_clzll(ns | 1);

	if (log2 < BUCKET_BITS)
		return (unsigned)ns;
	return ((log2 - BUCKET_BITS + 1) << BUCKET_BITS) +
	       (unsigned)((ns >> (log2 - BUCKET_BITS)) & ((1u << BUCKET_BITS) - 1));
}

static double bucket_us(unsigned bucket)
{
	unsigned shift = bucket >> BUCKET_BITS, low = bucket & ((1u << BUCKET_BITS) - 1);

	if (!shift)
		return (double)low / 1000.0;
	return (double)((uint64_t)((1u << BUCKET_BITS) + low) << (shift - 1)) / 1000.0;
}

static double percentile_us(const struct load *load, double part)
{
	uint64_t wanted = (uint64_t)((double)load->ops * part), seen = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		seen += load->histogram[i];
		if (seen > wanted)
			return bucket_us(i);
	}
	return 0;
}

static void start_command(struct slot *slot);

static void count(struct load *load, uint64_t started, uint64_t now)
{
	if (now < load->begin || now >= load->end)
		return;
	if (!load->ops++)
		load->cpu_begin = cpu_ns(load->pid);
	load->histogram[bucket_of(now - started)]++;
}

static void command_done(struct iscsi_context *iscsi, int status, void *data, void *private_data)
{
	struct slot *slot = private_data;
	struct load *load = slot->session->load;
	uint64_t now = now_ns();

	if (status != SCSI_STATUS_GOOD)
		die("status %#x: %s", (unsigned)status, iscsi_get_error(iscsi));
	scsi_free_scsi_task(data);
	slot->session->outstanding--;
	count(load, slot->started, now);
	if (now < load->end)
		start_command(slot);
}

static void start_command(struct slot *slot)
{
	struct session *session = slot->session;
	struct load *load = session->load;
	uint64_t piece = load->random ? random_u64() % load->nslots : session->next++ % load->nslots;
	uint64_t lba = piece * (load->bytes / load->block_size);
	struct scsi_task *task;

	slot->started = now_ns();
	if (load->write)
		task = iscsi_write16_task(session->iscsi, session->lun, lba, slot->buffer, load->bytes,
					  (int)load->block_size, 0, 0, 0, 0, 0, command_done, slot);
	else
		task = iscsi_read16_task(session->iscsi, session->lun, lba, load->bytes,
					 (int)load->block_size, 0, 0, 0, 0, 0, command_done, slot);
	if (!task || (!load->write && scsi_task_add_data_in_buffer(task, (int)load->bytes, slot->buffer)))
		die("cannot send: %s", iscsi_get_error(session->iscsi));
	session->outstanding++;
}

static void read_capacity(struct load *load, const struct session *session)
{
	struct scsi_task *task = iscsi_readcapacity16_sync(session->iscsi, session->lun);
	struct scsi_readcapacity16 *capacity = task ? scsi_datain_unmarshall(task) : NULL;

	if (!capacity)
		die("READ CAPACITY: %s", iscsi_get_error(session->iscsi));
	load->block_size = capacity->block_length;
	load->nslots = (capacity->returned_lba + 1) * load->block_size / load->bytes;
	scsi_free_scsi_task(task);
	if (!load->nslots)
		die("the LUN is smaller than one command");
}

static void connect_session(struct session *session, const char *url_text, unsigned number)
{
	char name[64];

	snprintf(name, sizeof(name), "iqn.2026-11.io.tcmu-runner:load-%u", number);
	session->iscsi = iscsi_create_context(name);
	struct iscsi_url *url = session->iscsi ? iscsi_parse_full_url(session->iscsi, url_text) : NULL;
	if (!url)
		die("%s: no iSCSI URL", url_text);
	session->lun = url->lun;
	iscsi_set_targetname(session->iscsi, url->target);
	iscsi_set_session_type(session->iscsi, ISCSI_SESSION_NORMAL);
	iscsi_set_header_digest(session->iscsi, ISCSI_HEADER_DIGEST_NONE);
	if (iscsi_full_connect_sync(session->iscsi, url->portal, url->lun))
		die("%s: %s", url_text, iscsi_get_error(session->iscsi));
	iscsi_destroy_url(url);
}

static void serve(struct session *sessions, unsigned nsessions)
{
	struct pollfd fds[MAX_SESSIONS];

	for (unsigned i = 0; i < nsessions; i++)
		fds[i] = (struct pollfd){.fd = iscsi_get_fd(sessions[i].iscsi),
					 .events = (short)iscsi_which_events(sessions[i].iscsi)};
	if (poll(fds, nsessions, 1000) < 0 && errno != EINTR)
		die("poll: %s", strerror(errno));
	for (unsigned i = 0; i < nsessions; i++)
		if (fds[i].revents && iscsi_service(sessions[i].iscsi, fds[i].revents))
			die("%s", iscsi_get_error(sessions[i].iscsi));
}

static void run(struct load *load, struct session *sessions)
{
	struct slot *slots = calloc((size_t)load->sessions * load->depth, sizeof(*slots));
	uint64_t cpu = 0, outstanding;

	if (!slots)
		die("no memory");
	load->begin = now_ns() + WARMUP_NS;
	load->end = load->begin + (uint64_t)(load->seconds * 1e9);
	for (unsigned i = 0; i < load->sessions * load->depth; i++) {
		slots[i].session = &sessions[i % load->sessions];
		if (posix_memalign((void **)&slots[i].buffer, 4096, load->bytes))
			die("no memory");
		memset(slots[i].buffer, (int)i, load->bytes);
		start_command(&slots[i]);
	}
	do {
		serve(sessions, load->sessions);
		if (!cpu && now_ns() >= load->end)
			cpu = cpu_ns(load->pid);
		outstanding = 0;
		for (unsigned i = 0; i < load->sessions; i++)
			outstanding += sessions[i].outstanding;
	} while (outstanding);

	double seconds = load->seconds, ops = (double)load->ops;
	if (!load->ops)
		die("nothing was completed within %.1f s", seconds);
	printf("iops=%.0f mbps=%.1f p50_us=%.1f p99_us=%.1f cpu_us=%.2f ops=%.0f\n", ops / seconds,
	       ops * load->bytes / seconds / 1e6, percentile_us(load, 0.5), percentile_us(load, 0.99),
	       (double)(cpu - load->cpu_begin) / 1000.0 / ops, ops);
	for (unsigned i = 0; i < load->sessions * load->depth; i++)
		free(slots[i].buffer);
	free(slots);
}

static unsigned number(const char *text, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !value || value > max)
		die("%s: not from 1 to %u", text, max);
	return (unsigned)value;
}

static const char *parse(struct load *load, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "s:d:b:t:p:wr")) != -1)
		switch (option) {
		case 's':
			load->sessions = number(optarg, MAX_SESSIONS);
			break;
		case 'd':
			load->depth = number(optarg, 1024);
			break;
		case 'b':
			load->bytes = number(optarg, 16u << 20);
			break;
		case 't':
			load->seconds = atof(optarg);
			break;
		case 'p':
			load->pid = (pid_t)number(optarg, 1u << 30);
			break;
		case 'w':
			load->write = true;
			break;
		case 'r':
			load->random = true;
			break;
		default:
			exit(EXIT_FAILURE);
		}
	if (optind + 1 != argc || load->seconds <= 0)
		die("usage: iscsi_load [-s SESSIONS] [-d DEPTH] [-b BYTES] [-w] [-r] [-t SECONDS] [-p PID] "
		    "URL\n"
		    "  -w write instead of read, -r random instead of sequential, -p report this process's "
		    "CPU time");
	return argv[optind];
}

int main(int argc, char **argv)
{
	struct load load = {.sessions = 1, .depth = 1, .bytes = 4096, .seconds = 2};
	struct session sessions[MAX_SESSIONS] = {0};
	const char *url = parse(&load, argc, argv);

	for (unsigned i = 0; i < load.sessions; i++) {
		sessions[i].load = &load;
		connect_session(&sessions[i], url, i);
	}
	read_capacity(&load, &sessions[0]);
	for (unsigned i = 0; i < load.sessions; i++)
		sessions[i].next = load.nslots / load.sessions * i;
	run(&load, sessions);
	for (unsigned i = 0; i < load.sessions; i++) {
		iscsi_logout_sync(sessions[i].iscsi);
		iscsi_destroy_context(sessions[i].iscsi);
	}
	return EXIT_SUCCESS;
}
