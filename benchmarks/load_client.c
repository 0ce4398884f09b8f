/* Receives from many WebSockets at once. Frames have one known size, so they are counted, not parsed.
 *
 * load_client PORT COUNT: connects, prints "ready", then obeys lines on stdin:
 *   wait N SECONDS   read until N messages (all clients together, since the start) have come or time is up; prints the number
 *   clear            forget the latencies
 *   latency          prints how many samples there are, and their p50 and p99 in nanoseconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 304, STAMP = 9, STAMP_DIGITS = 19, BUFFER = 1 << 18, SAMPLED = 50, MAX_SAMPLES = 4000000, MAX_CLIENTS = 10000 };

static char buffer[BUFFER];
static uint64_t samples[MAX_SAMPLES];
static size_t sample_count;
static uint64_t received;
static struct { int sampled; uint64_t offset; char stamp[STAMP_DIGITS + 1]; } client[MAX_CLIENTS];

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) { perror(what); exit(1); }

static int open_client(int port) {
    static const char head[] =
        "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char last[4] = {0}, byte, first[13] = {0};
    int one = 1, count = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (write(fd, head, sizeof head - 1) != (ssize_t)(sizeof head - 1)) fail("write");
    while (memcmp(last, "\r\n\r\n", 4)) {
        if (read(fd, &byte, 1) != 1) fail("handshake");
        if (count < 12) first[count++] = byte;
        memmove(last, last + 1, 3);
        last[3] = byte;
    }
    if (memcmp(first + 9, "101", 3)) { fprintf(stderr, "refused: %s\n", first); exit(1); }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Walk the stamps of one sampled connection; a stamp may be cut by the end of a read. */
static void sample(int index, const char *data, size_t length) {
    uint64_t now = now_ns();
    for (size_t at = 0; at < length;) {
        uint64_t in_frame = client[index].offset % FRAME;
        if (in_frame >= STAMP && in_frame < STAMP + STAMP_DIGITS) {
            client[index].stamp[in_frame - STAMP] = data[at];
            if (in_frame == STAMP + STAMP_DIGITS - 1 && sample_count < MAX_SAMPLES)
                samples[sample_count++] = now - strtoull(client[index].stamp, NULL, 10);
            at++, client[index].offset++;
        } else {
            uint64_t next = in_frame < STAMP ? STAMP - in_frame : FRAME - in_frame + STAMP;
            uint64_t step = next < length - at ? next : length - at;
            at += step, client[index].offset += step;
        }
    }
}

static void receive_until(int poller, uint64_t wanted, double seconds) {
    static struct epoll_event events[4096];
    uint64_t deadline = now_ns() + (uint64_t)(seconds * 1e9);
    while (received / FRAME < wanted && now_ns() < deadline) {
        int ready = epoll_wait(poller, events, 4096, 10);
        for (int i = 0; i < ready; i++) {
            int index = (int)(events[i].data.u64 >> 32), fd = (int)(events[i].data.u64 & 0xffffffffu);
            ssize_t got = read(fd, buffer, BUFFER);
            if (got <= 0) fail("read");
            received += (uint64_t)got;
            if (client[index].sampled) sample(index, buffer, (size_t)got);
        }
    }
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int count = argc == 3 ? atoi(argv[2]) : 0, poller = epoll_create1(0);
    int step = count / SAMPLED > 0 ? count / SAMPLED : 1;
    char line[128];
    if (count < 1 || count > MAX_CLIENTS) { fprintf(stderr, "load_client PORT COUNT\n"); return 2; }
    for (int i = 0; i < count; i++) {
        int fd = open_client(atoi(argv[1]));
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)i << 32 | (uint64_t)fd};
        client[i].sampled = i % step == 0;
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        unsigned long long wanted;
        double seconds;
        if (sscanf(line, "wait %llu %lf", &wanted, &seconds) == 2) {
            receive_until(poller, wanted, seconds);
            printf("%llu\n", (unsigned long long)(received / FRAME));
        } else if (!strncmp(line, "clear", 5)) {
            sample_count = 0;
            puts("0");
        } else {
            qsort(samples, sample_count, sizeof *samples, by_value);
            printf("%zu %llu %llu\n", sample_count,
                   (unsigned long long)(sample_count ? samples[sample_count / 2] : 0),
                   (unsigned long long)(sample_count ? samples[sample_count * 99 / 100] : 0));
        }
        fflush(stdout);
    }
    return 0;
}
