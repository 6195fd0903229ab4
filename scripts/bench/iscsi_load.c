/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load on an iSCSI LUN: one thread keeps `depth` commands outstanding on each of `sessions` sessions. The
 * program prints one line of KEY=VALUE: commands and bytes per second, percentiles of the latency, and the
 * CPU time that the process of the target spent on one command. The protocol is left to an initiator
 * (iscsi_load.h).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "iscsi_load.h"

#define WARMUP_NS    300000000ull
#define MAX_SESSIONS 64
#define BUCKET_BITS  5 /* Each power of two is divided into 32 buckets, which is a resolution of 3 %. */
#define BUCKETS      (64u << BUCKET_BITS)

struct load {
	const struct initiator *initiator;
	unsigned sessions, depth, bytes;
	bool write, random;
	double seconds;
	pid_t pid; /* the process whose CPU time is measured; 0: none */
	uint32_t block_size;
	uint64_t npieces;    /* the number of pieces of `bytes` bytes that the LUN holds */
	uint64_t begin, end; /* the measured interval; completions outside of it do not count */
	uint64_t ops;
	uint64_t cpu_begin;
	unsigned outstanding;
	struct connection *connections[MAX_SESSIONS];
	uint64_t next[MAX_SESSIONS]; /* the next piece of each session when the load is sequential */
	uint64_t histogram[BUCKETS];
};

void load_die(const char *format, ...)
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

/* The CPU time of all threads of a process. */
static uint64_t cpu_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (!pid)
		return 0;
	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		load_die("the CPU time of process %d cannot be read", (int)pid);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static uint64_t random_u64(void)
{
	static uint64_t x = 88172645463325252ull; /* xorshift: each run uses the same sequence */

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

static void start_command(struct slot *slot)
{
	struct load *load = slot->load;
	uint64_t piece = (load->random ? random_u64() : load->next[slot->session]++) % load->npieces;
	uint32_t blocks = load->bytes / load->block_size;

	slot->started = now_ns();
	load->outstanding++;
	load->initiator->start(slot, load->write, piece * blocks, blocks, load->bytes);
}

static void count(struct load *load, uint64_t started, uint64_t now)
{
	if (now < load->begin || now >= load->end)
		return;
	if (!load->ops++)
		load->cpu_begin = cpu_ns(load->pid);
	load->histogram[bucket_of(now - started)]++;
}

void load_command_done(struct slot *slot)
{
	struct load *load = slot->load;
	uint64_t now = now_ns();

	load->outstanding--;
	count(load, slot->started, now);
	if (now < load->end)
		start_command(slot);
}

static void serve_connections(struct load *load)
{
	struct pollfd fds[MAX_SESSIONS];

	for (unsigned i = 0; i < load->sessions; i++)
		fds[i] = load->initiator->wait_for(load->connections[i]);
	if (poll(fds, load->sessions, 1000) < 0 && errno != EINTR)
		load_die("poll: %s", strerror(errno));
	for (unsigned i = 0; i < load->sessions; i++)
		if (fds[i].revents)
			load->initiator->serve(load->connections[i], fds[i].revents);
}

static void connect_sessions(struct load *load, const char *url)
{
	uint64_t blocks;

	for (unsigned i = 0; i < load->sessions; i++) {
		char name[64];
		snprintf(name, sizeof(name), "iqn.2026-11.io.tcmu-runner:load-%u", i);
		load->connections[i] = load->initiator->connect(url, name);
	}
	load->initiator->read_capacity(load->connections[0], &load->block_size, &blocks);
	if (!load->block_size || load->bytes % load->block_size)
		load_die("%u bytes are not a multiple of the block size, which is %u", load->bytes,
			 load->block_size);
	load->npieces = blocks * load->block_size / load->bytes;
	if (!load->npieces)
		load_die("the LUN is smaller than one command");
	for (unsigned i = 0; i < load->sessions; i++)
		load->next[i] = load->npieces / load->sessions * i;
}

static struct slot *start_load(struct load *load)
{
	unsigned nslots = load->sessions * load->depth;
	struct slot *slots = calloc(nslots, sizeof(*slots));

	load->begin = now_ns() + WARMUP_NS;
	load->end = load->begin + (uint64_t)(load->seconds * 1e9);
	for (unsigned i = 0; slots && i < nslots; i++) {
		unsigned session = i % load->sessions;
		slots[i] =
		    (struct slot){.load = load, .connection = load->connections[session], .session = session};
		if (posix_memalign((void **)&slots[i].buffer, 4096, load->bytes))
			load_die("there is not enough memory");
		memset(slots[i].buffer, (int)i, load->bytes);
		start_command(&slots[i]);
	}
	if (!slots)
		load_die("there is not enough memory");
	return slots;
}

static void run(struct load *load)
{
	struct slot *slots = start_load(load);
	uint64_t cpu_end = 0;

	while (load->outstanding) {
		serve_connections(load);
		if (!cpu_end && now_ns() >= load->end)
			cpu_end = cpu_ns(load->pid);
	}
	for (unsigned i = 0; i < load->sessions * load->depth; i++)
		free(slots[i].buffer);
	free(slots);
	if (!load->ops)
		load_die("no command was completed within %.1f s", load->seconds);

	double ops = (double)load->ops;
	printf("iops=%.0f mbps=%.1f p50_us=%.1f p99_us=%.1f cpu_us=%.2f ops=%.0f\n", ops / load->seconds,
	       ops * load->bytes / load->seconds / 1e6, percentile_us(load, 0.5), percentile_us(load, 0.99),
	       (double)(cpu_end - load->cpu_begin) / 1000.0 / ops, ops);
}

static unsigned number(const char *text, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !value || value > max)
		load_die("'%s' is not a number from 1 to %u", text, max);
	return (unsigned)value;
}

static void __attribute__((noreturn)) usage(void)
{
	load_die(
	    "usage: iscsi_load [-R] [-s SESSIONS] [-d DEPTH] [-b BYTES] [-w] [-r] [-t SECONDS] [-p PID] URL\n"
	    "  -R  use no library: send constant data, and discard received data\n"
	    "  -w  write instead of read\n"
	    "  -r  use random instead of sequential addresses\n"
	    "  -p  report the CPU time of this process\n"
	    "  URL is iscsi://ADDRESS:PORT/TARGET/LUN");
}

static const char *parse(struct load *load, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "Rs:d:b:t:p:wr")) != -1)
		switch (option) {
		case 'R':
			load->initiator = &raw_initiator;
			break;
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
			usage();
		}
	if (optind + 1 != argc || load->seconds <= 0)
		usage();
	return argv[optind];
}

int main(int argc, char **argv)
{
#ifdef HAVE_LIBISCSI
	const struct initiator *initiator = &libiscsi_initiator;
#else
	const struct initiator *initiator = &raw_initiator;
#endif
	static struct load load;

	load = (struct load){.initiator = initiator, .sessions = 1, .depth = 1, .bytes = 4096, .seconds = 2};
	const char *url = parse(&load, argc, argv);
	connect_sessions(&load, url);
	run(&load);
	for (unsigned i = 0; i < load.sessions; i++)
		load.initiator->disconnect(load.connections[i]);
	return EXIT_SUCCESS;
}
