// A light engine for the benchmark: one thread, epoll, N ports in a row, so that the engine is not what is measured.
//   engine FIRST_PORT PORTS
// The body steers it, through fields that every router passes on:
//   no "stream":true   a JSON answer of 540 bytes
//   "stream":true      a stream of "max_tokens" chunks, "seed" milliseconds apart (0: all of them at once)
//   "seed":7000        answers as above and keeps the request for GET /kept
//   "seed":7001        a fixed stream of fragments that are cut inside characters, lines and events
//   "seed":7002        a stream whose connection breaks after three chunks
//   "seed":7400..7599  an error with status seed - 7000
// The content of each chunk is '@' and 20 digits: the monotonic clock in nanoseconds as the chunk was written.
// GET /stats tells what was counted, in JSON. Bounds: MAX_BODY a request; otherwise the clients' connections.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PORTS = 64, MAX_HEAD = 64 << 10, MAX_BODY = 64 << 20, CHUNK_ROOM = 512 };
enum kind { PACED, FRAGMENTS, BROKEN };

typedef struct {
  char *data;
  size_t used, room;
} buffer;

typedef struct conn {
  int fd, port, listens, heap_at, wants_out, closes;
  buffer in, out;
  enum kind kind;
  long total, sent;  // chunks of the running stream; total is 0 when none runs
  uint64_t gap, due;
} conn;

static int epoll_fd, first_port, ports;
static uint64_t requests, other_posts, streams_open, streams_left, per_port[MAX_PORTS];
static buffer kept;
static char answer[1024];
static size_t answer_length;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static char *reserve(buffer *b, size_t more) {
  if (b->used + more > b->room) {
    b->room = (b->used + more) * 2;
    b->data = realloc(b->data, b->room);
    if (!b->data) abort();
  }
  return b->data + b->used;
}

static void append(buffer *b, const char *data, size_t length) {
  memcpy(reserve(b, length), data, length);
  b->used += length;
}

// The running streams, the next one due at the top.
static conn **heap;
static int heap_used, heap_room;

static void heap_put(int at, conn *c) {
  heap[at] = c;
  c->heap_at = at;
}

static void heap_settle(int at) {
  conn *c = heap[at];
  for (int up; at > 0 && heap[up = (at - 1) / 2]->due > c->due; at = up) heap_put(at, heap[up]);
  for (int low; (low = 2 * at + 1) < heap_used; at = low) {
    if (low + 1 < heap_used && heap[low + 1]->due < heap[low]->due) low++;
    if (heap[low]->due >= c->due) break;
    heap_put(at, heap[low]);
  }
  heap_put(at, c);
}

static void heap_add(conn *c) {
  if (heap_used == heap_room) heap = realloc(heap, (heap_room = heap_room * 2 + 256) * sizeof *heap);
  heap_put(heap_used++, c);
  heap_settle(heap_used - 1);
}

static void heap_remove(conn *c) {
  if (c->heap_at < 0) return;
  conn *last = heap[--heap_used];
  if (last != c) {
    heap_put(c->heap_at, last);
    heap_settle(c->heap_at);
  }
  c->heap_at = -1;
}

static void drop(conn *c) {
  if (c->total) {
    streams_open--;
    streams_left++;
  }
  heap_remove(c);
  close(c->fd);
  free(c->in.data);
  free(c->out.data);
  free(c);
}

// Writes what the socket takes; 0 when the connection is over.
static int flush(conn *c) {
  size_t done = 0;
  while (done < c->out.used) {
    ssize_t n = send(c->fd, c->out.data + done, c->out.used - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) return 0;
    done += (size_t)n;
  }
  memmove(c->out.data, c->out.data + done, c->out.used -= done);
  int wants = c->out.used > 0;
  if (wants != c->wants_out) {
    struct epoll_event e = {.events = EPOLLIN | (wants ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
    c->wants_out = wants;
  }
  return wants || c->total || !c->closes;
}

static void reply(conn *c, int status, const char *more, const char *body, size_t length) {
  char head[512];
  int n = snprintf(head, sizeof head,
                   "HTTP/1.1 %d %s\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: uvicorn\r\n%scontent-length: %zu\r\n"
                   "content-type: application/json\r\n\r\n",
                   status, status == 200 ? "OK" : "Error", more, length);
  append(&c->out, head, (size_t)n);
  append(&c->out, body, length);
}

static void reply_text(conn *c, int status, const char *more, const char *body) {
  reply(c, status, more, body, strlen(body));
}

// One piece of a chunked body.
static void piece(conn *c, const char *data, size_t length) {
  char size[24];
  append(&c->out, size, (size_t)sprintf(size, "%zx\r\n", length));
  append(&c->out, data, length);
  append(&c->out, "\r\n", 2);
}

#define EVENT(delta, finish) \
  "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"m\"," \
  "\"choices\":[{\"index\":0,\"delta\":" delta ",\"logprobs\":null,\"finish_reason\":" finish "}]}\n\n"

// What a careless relay would break: characters, lines and events cut between writes, comments, CRLF, many data lines.
static const char *const fragments[] = {
    EVENT("{\"role\":\"assistant\",\"content\":\"\"}", "null") "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"caf\xc3",
    "\xa9 \xf0\x9f",
    "\x98\x80 \\u2028 \\\"quoted\\\"\"},\"finish_reason\":null}]}\n",
    "\n: a comment\n\nda",
    "ta: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two events\"},\"finish_reason\":null}]}\n\ndata: {\"choices\":[{\"ind",
    "ex\":0,\"delta\":{\"content\":\" in one, \"},\"finish_reason\":null}]}\n\n",
    "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"no blank\"},\"finish_reason\":null}]}\r\n\r\n",
    EVENT("{}", "\"stop\"") "data: [DONE]",
    "\n\n",
};
enum { FRAGMENTS_TOTAL = sizeof fragments / sizeof *fragments };

static void chunk(conn *c) {
  static const char role[] = EVENT("{\"role\":\"assistant\",\"content\":\"\"}", "null");
  char text[3 * CHUNK_ROOM];
  size_t n = 0;
  if (c->sent == 0) n = (size_t)sprintf(text, "%s", role);
  n += (size_t)sprintf(text + n, EVENT("{\"content\":\"@%020llu\"}", "null"), (unsigned long long)now());
  if (c->sent + 1 == c->total) n += (size_t)sprintf(text + n, "%s", EVENT("{}", "\"stop\"") "data: [DONE]\n\n");
  piece(c, text, n);
}

static void stream_over(conn *c) {
  c->total = 0;
  streams_open--;
  heap_remove(c);
}

// Sends what is due of a stream; 0 when the connection is over.
static int stream_step(conn *c) {
  do {
    if (c->kind == BROKEN && c->sent == 3) return 0;
    if (c->kind == FRAGMENTS) piece(c, fragments[c->sent], strlen(fragments[c->sent]));
    else chunk(c);
  } while (++c->sent < c->total && c->gap == 0);
  if (c->sent == c->total) {
    append(&c->out, "0\r\n\r\n", 5);
    stream_over(c);
  } else {
    c->due += c->gap;
    heap_settle(c->heap_at);
  }
  return flush(c);
}

static void stream_begin(conn *c, enum kind kind, long total, uint64_t gap) {
  static const char head[] =
      "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: uvicorn\r\n"
      "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
  append(&c->out, head, sizeof head - 1);
  c->kind = kind;
  c->total = total;
  c->sent = 0;
  c->gap = gap;
  c->due = now();
  streams_open++;
  heap_add(c);
}

// The number (or true = 1) after "name": in the JSON, or `otherwise`. Quotes inside strings are escaped, so that text
// never matches. The parameters mostly stand at the end, so that is looked at first.
static long field(const char *body, size_t length, const char *name, long otherwise) {
  size_t tail = length > 512 ? 512 : length, n = strlen(name);
  const char *at = memmem(body + length - tail, tail, name, n);
  if (!at) at = memmem(body, length, name, n);
  if (!at) return otherwise;
  for (at += n; at < body + length && (*at == ' ' || *at == ':'); at++) continue;
  return *at == 't' ? 1 : atol(at);
}

static void chat(conn *c, const char *all, size_t head, size_t length) {
  const char *body = all + head;
  // Some routers give the limit its newer name.
  long seed = field(body, length, "\"seed\"", 0), total = field(body, length, "\"max_tokens\"", -1);
  if (total < 0) total = field(body, length, "\"max_completion_tokens\"", 16);
  requests++;
  per_port[c->port]++;
  if (seed == 7000) {
    kept.used = 0;
    append(&kept, all, head + length);
  }
  if (seed >= 7400 && seed < 7600) {
    char text[128];
    sprintf(text, "{\"error\":{\"message\":\"wanted\",\"type\":\"bench\",\"param\":null,\"code\":%ld}}", seed - 7000);
    reply_text(c, (int)seed - 7000, seed == 7429 ? "retry-after: 7\r\n" : "", text);
  } else if (field(body, length, "\"stream\"", 0) != 1) reply(c, 200, "", answer, answer_length);
  else if (seed == 7001) stream_begin(c, FRAGMENTS, FRAGMENTS_TOTAL, 3000000);
  else if (seed == 7002) stream_begin(c, BROKEN, 10, 5000000);
  else stream_begin(c, PACED, total > 0 ? total : 1, seed < 7000 ? (uint64_t)seed * 1000000u : 0);
}

static void other(conn *c, const char *all, size_t head, const char *path) {
  if (!strncmp(path, "/kept ", 6)) return reply(c, 200, "", kept.data ? kept.data : "", kept.used);
  if (!strncmp(path, "/stats ", 7)) {
    char text[2048];
    int n = sprintf(text, "{\"requests\":%lu,\"otherPosts\":%lu,\"open\":%lu,\"left\":%lu,\"perPort\":[", (long)requests,
                    (long)other_posts, (long)streams_open, (long)streams_left);
    for (int i = 0; i < ports; i++) n += sprintf(text + n, "%s%lu", i ? "," : "", (long)per_port[i]);
    strcpy(text + n, "]}");
    return reply_text(c, 200, "", text);
  }
  if (!strncmp(path, "/v1/models", 10))
    return reply_text(c, 200, "", "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\",\"created\":1767225600,"
                                  "\"owned_by\":\"vllm\",\"root\":\"m\",\"parent\":null,\"max_model_len\":32768}]}");
  if (!strncmp(path, "/version", 8)) return reply_text(c, 200, "", "{\"version\":\"0.11.0\"}");
  if (!strncmp(path, "/metrics", 8))
    return reply_text(c, 200, "", "vllm:num_requests_running{model_name=\"m\"} 0\nvllm:num_requests_waiting{model_name=\"m\"} 0\n");
  if (strstr(path, "model_info "))
    return reply_text(c, 200, "", "{\"model_path\":\"m\",\"tokenizer_path\":\"m\",\"served_model_name\":\"m\",\"is_generation\":true}");
  if (strstr(path, "server_info "))
    return reply_text(c, 200, "", "{\"model_path\":\"m\",\"served_model_name\":\"m\",\"tp_size\":1,\"dp_size\":1,\"version\":\"0.11.0\"}");
  if (strstr(path, "load ")) return reply_text(c, 200, "", "{\"server_load\":0}");
  if (!strncmp(path, "/health", 7) || !strncmp(path, "/ping", 5)) return reply_text(c, 200, "", "{}");
  if (head && all[0] == 'P') other_posts++;
  reply_text(c, 404, "", "{\"detail\":\"Not Found\"}");
}

// Whether a chunked body is whole; then the length of its content, and how many bytes it takes with its framing.
static int chunked_size(const char *data, size_t have, size_t *content, size_t *framed) {
  *content = 0;
  for (size_t at = 0; at < have;) {
    const char *line = memmem(data + at, have - at, "\r\n", 2);
    if (!line) return 0;
    size_t size = strtoul(data + at, NULL, 16);
    at = (size_t)(line - data) + 2 + size + 2;
    *content += size;
    *framed = at;
    if (size == 0) return at <= have;
  }
  return 0;
}

// Takes the framing out of a whole chunked body, in place.
static void join_chunks(char *data) {
  char *to = data, *from = data;
  for (size_t size; (size = strtoul(from, NULL, 16)) > 0; from += size + 2, to += size) {
    from = strstr(from, "\r\n") + 2;
    memmove(to, from, size);
  }
}

// Answers the first whole request that has come: 1 done, 0 none, -1 the connection is over.
static int take(conn *c) {
  if (c->total || !c->in.used) return 0;
  char *end = memmem(c->in.data, c->in.used, "\r\n\r\n", 4);
  if (!end) return c->in.used > MAX_HEAD ? -1 : 0;
  size_t head = (size_t)(end - c->in.data) + 4;
  *end = 0;
  char *length_at = strcasestr(c->in.data, "\ncontent-length:");
  int chunked = strcasestr(c->in.data, "\ntransfer-encoding:") != NULL;
  int last = strcasestr(c->in.data, "\nconnection: close") != NULL;
  *end = '\r';
  size_t length = length_at ? strtoul(length_at + 16, NULL, 10) : 0, whole = head + length;
  if (chunked && !chunked_size(c->in.data + head, c->in.used - head, &length, &whole)) return c->in.used > MAX_BODY ? -1 : 0;
  if (chunked) whole += head;
  if (whole > MAX_BODY) return -1;
  if (c->in.used < whole) return 0;
  char *path = memchr(c->in.data, ' ', head);
  if (!path) return -1;
  c->closes = last;
  if (chunked) join_chunks(c->in.data + head);
  if (!strncmp(path + 1, "/v1/chat/completions ", 21) && c->in.data[0] == 'P') chat(c, c->in.data, head, length);
  else other(c, c->in.data, head, path + 1);
  memmove(c->in.data, c->in.data + whole, c->in.used -= whole);
  return 1;
}

static int take_all(conn *c) {
  int taken = 0, r;
  while ((r = take(c)) > 0) taken = 1;
  if (r < 0) return 0;
  if (taken && c->total) return stream_step(c) && (c->total || take_all(c));
  return !taken || flush(c);
}

static int readable(conn *c) {
  for (;;) {
    char *to = reserve(&c->in, 64 << 10);
    ssize_t n = recv(c->fd, to, c->in.room - c->in.used - 1, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) return 0;
    c->in.used += (size_t)n;
    c->in.data[c->in.used] = 0;
    if (c->in.used < c->in.room - 1) break;
  }
  return take_all(c);
}

static void watch(int fd, int port, int listens) {
  conn *c = calloc(1, sizeof *c);
  *c = (conn){.fd = fd, .port = port, .listens = listens, .heap_at = -1};
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

static void accept_all(conn *listener) {
  for (int fd; (fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    watch(fd, listener->port, 0);
  }
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 4096)) {
    fprintf(stderr, "port %d: %s\n", port, strerror(errno));
    exit(1);
  }
  return fd;
}

int main(int argc, char **argv) {
  first_port = argc > 1 ? atoi(argv[1]) : 0;
  ports = argc > 2 ? atoi(argv[2]) : 0;
  if (first_port < 1 || ports < 1 || ports > MAX_PORTS) return fprintf(stderr, "usage: engine FIRST_PORT PORTS\n"), 2;
  signal(SIGPIPE, SIG_IGN);
  int text = 540 - 278;  // zeros of text that make the answer 540 bytes
  answer_length = (size_t)sprintf(answer,
      "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1767225600,\"model\":\"m\",\"choices\":[{\"index\":0,"
      "\"message\":{\"role\":\"assistant\",\"content\":\"%0*d\",\"tool_calls\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"prompt_tokens\":210,\"total_tokens\":274,\"completion_tokens\":64}}", text, 0);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < ports; i++) watch(listen_on(first_port + i), i, 1);
  printf("ready\n");
  fflush(stdout);
  struct epoll_event events[256];
  for (;;) {
    uint64_t t = now(), due = heap_used ? heap[0]->due : t + 1000000000u, wait = due > t ? due - t : 0;
    int n = epoll_pwait2(epoll_fd, events, 256, &(struct timespec){(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)}, NULL);
    for (int i = 0; i < n; i++) {
      conn *c = events[i].data.ptr;
      if (c->listens) accept_all(c);
      else if (((events[i].events & EPOLLOUT) && !flush(c)) || ((events[i].events & ~(uint32_t)EPOLLOUT) && !readable(c))) drop(c);
    }
    for (t = now(); heap_used && heap[0]->due <= t;) {
      conn *c = heap[0];
      if (!stream_step(c) || (!c->total && !take_all(c))) drop(c);
    }
  }
}
