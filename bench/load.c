// The benchmark's load and its processor meter: one thread, epoll. All targets share one run, window by window in an
// order that rotates, so that noise of the machine meets them alike.
//   load loop  BODY CONNECTIONS MS     ROUNDS TARGET...  closed loop: every connection always has a request, for MS
//   load paced BODY STREAMS     GAP_US ROUNDS TARGET...  one stream on each connection, started GAP_US apart
//   load rate  BODY PER_SECOND  MS     ROUNDS TARGET...  open loop: requests at their times, whatever came of the others
//   load hold  BODY STREAMS     GAP_US 1      TARGET     as paced; says {"open":N} once each stream has its first chunk
// BODY is a file with the JSON to POST, or "GET /path". TARGET is NAME:PORT:PID[,PID...][:MOST], MOST being the most
// connections that the target takes. Processor time is the first figure of /proc/PID/task/*/schedstat: nanoseconds of
// user and system time by the scheduler's clock, summed over all threads of all PIDs.
// One JSON line for each window; times in microseconds. Bounds: 5,000 connections a target, 30 s beyond a window's end.
#define _GNU_SOURCE
#include <dirent.h>
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

enum { MAX_TARGETS = 32, MAX_PIDS = 64, MAX_CONNECTIONS = 5000, RATE_CONNECTIONS = 64, ROOM = 32 << 10, SETTLE_MS = 20 };
enum part { HEAD, SIZED, UNTIL_CLOSE, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

typedef struct {
  double *at;
  size_t used, room;
} samples;

typedef struct target target;
typedef struct {
  int fd, busy, digits, line;  // digits: how many of a stamp have been read, -1 outside of one
  enum part part;
  size_t left, head_used;
  uint64_t began, first, stamp;
  target *of;
  char head[8 << 10];
} conn;

struct target {
  char name[64];
  int port, pids[MAX_PIDS], pid_count, conn_count;
  conn *conns;
  long done, bad, chunks, late;
  samples lag, first, whole;
};

static int epoll_fd, is_hold;
static char *request;
static size_t request_length;
static long opened;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void nap(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

static void sample(samples *s, double value) {
  if (s->used == s->room) s->at = realloc(s->at, (s->room = s->room * 2 + 1024) * sizeof *s->at);
  s->at[s->used++] = value;
}

static uint64_t cpu_ns(const target *t) {
  uint64_t sum = 0;
  for (int i = 0; i < t->pid_count; i++) {
    char path[512];
    snprintf(path, sizeof path, "/proc/%d/task", t->pids[i]);
    DIR *tasks = opendir(path);
    if (!tasks) continue;
    for (struct dirent *task; (task = readdir(tasks));) {
      if (task->d_name[0] == '.') continue;
      snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", t->pids[i], task->d_name);
      FILE *file = fopen(path, "r");
      unsigned long long ns;
      if (file && fscanf(file, "%llu", &ns) == 1) sum += ns;
      if (file) fclose(file);
    }
    closedir(tasks);
  }
  return sum;
}

static void hang_up(conn *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->busy = 0;
}

static void dial(conn *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->of->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to)) {
    fprintf(stderr, "%s: connect: %s\n", c->of->name, strerror(errno));
    return hang_up(c);
  }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
}

// Connects what is not connected, and what the target has closed between two windows.
static void refresh(target *t) {
  for (int i = 0; i < t->conn_count; i++) {
    conn *c = &t->conns[i];
    char byte;
    if (c->fd >= 0 && (recv(c->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN)) hang_up(c);
    if (c->fd < 0) dial(c);
  }
}

static int fire(conn *c) {
  if (c->fd < 0) dial(c);
  if (c->fd < 0) return c->of->bad++, 0;
  c->busy = 1;
  c->part = HEAD;
  c->head_used = 0;
  c->digits = -1;
  c->first = 0;
  c->began = now();
  if (send(c->fd, request, request_length, MSG_NOSIGNAL) == (ssize_t)request_length) return 1;
  c->of->bad++;
  hang_up(c);
  return 0;
}

// Reads the stamps in a piece of the body; one may begin in this piece and end in a later one.
static void content(conn *c, const char *data, size_t length, uint64_t at) {
  for (const char *p = data, *end = data + length; p < end;) {
    if (c->digits < 0) {
      if (!(p = memchr(p, '@', (size_t)(end - p)))) return;
      p++;
      c->digits = 0;
      c->stamp = 0;
    } else if (c->digits < 20) {
      c->stamp = c->stamp * 10 + (uint64_t)(*p++ - '0');
      c->digits++;
    } else {
      if (!c->first) {
        c->first = at;
        opened++;
      }
      c->of->chunks++;
      if (!is_hold) sample(&c->of->lag, (double)(at - c->stamp) / 1e3);
      c->digits = -1;
    }
  }
}

// Takes the head once it is whole; the number of bytes of it in `data`, or 0 for more.
static size_t head(conn *c, const char *data, size_t length) {
  size_t take = length < sizeof c->head - 1 - c->head_used ? length : sizeof c->head - 1 - c->head_used, before = c->head_used;
  memcpy(c->head + before, data, take);
  c->head[c->head_used += take] = 0;
  char *end = strstr(c->head, "\r\n\r\n");
  if (!end) return 0;
  *end = 0;
  if (strncmp(c->head + 8, " 200", 4)) c->of->bad++;
  char *sized = strcasestr(c->head, "\ncontent-length:");
  c->part = sized ? SIZED : strcasestr(c->head, "\ntransfer-encoding: chunked") ? CHUNK_SIZE : UNTIL_CLOSE;
  c->left = sized ? strtoul(sized + 16, NULL, 10) : 0;
  return (size_t)(end - c->head) + 4 - before;
}

// Walks over bytes of an answer; 1 once it is complete.
static int walk(conn *c, const char *p, size_t length, uint64_t at) {
  const char *end = p + length;
  if (c->part == HEAD) {
    size_t n = head(c, p, length);
    if (n == 0) return 0;
    p += n;
    if (c->part == SIZED && c->left == 0) return 1;
  }
  while (p < end) {
    size_t have = (size_t)(end - p), n = have < c->left ? have : c->left;
    switch (c->part) {
      case UNTIL_CLOSE:
        return content(c, p, have, at), 0;
      case SIZED:
      case CHUNK_DATA:
        content(c, p, n, at);
        p += n;
        if ((c->left -= n) > 0) return 0;
        if (c->part == SIZED) return 1;
        c->part = CHUNK_END;
        c->left = 2;
        break;
      case CHUNK_END:
        p += n;
        if ((c->left -= n) == 0) c->part = CHUNK_SIZE;
        break;
      case CHUNK_SIZE:
        if (*p == '\n') c->part = c->left ? CHUNK_DATA : TRAILER, c->line = 0;
        else if (*p != '\r') c->left = c->left * 16 + (size_t)(*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
        p++;
        break;
      case TRAILER:
        if (*p == '\n' && c->line == 0) return 1;
        if (*p == '\n') c->line = 0;
        else if (*p != '\r') c->line++;
        p++;
        break;
      case HEAD:
        return 0;
    }
  }
  return 0;
}

// Reads what has come: 1 the answer is complete, -1 the connection is lost in the middle of it, 0 neither.
static int readable(conn *c) {
  char data[ROOM];
  ssize_t n = recv(c->fd, data, sizeof data, MSG_DONTWAIT);
  uint64_t at = now();
  if (n < 0 && errno == EAGAIN) return 0;
  int was_busy = c->busy;
  if (n <= 0) {
    int complete = was_busy && c->part == UNTIL_CLOSE;
    if (was_busy && !complete) c->of->bad++;
    hang_up(c);
    return complete ? 1 : was_busy ? -1 : 0;
  }
  if (!was_busy || !walk(c, data, (size_t)n, at)) return 0;
  if (!c->first) c->first = at;
  c->busy = 0;
  return 1;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_quantiles(samples *s) {
  if (!s->used) return;
  qsort(s->at, s->used, sizeof *s->at, by_size);
  static const int per_mille[] = {500, 900, 990, 999};
  for (int i = 0; i < 4; i++) printf(",\"lag%d\":%.1f", per_mille[i], s->at[s->used * (size_t)per_mille[i] / 1000]);
}

static void print_samples(const char *name, const samples *s) {
  printf(",\"%s\":[", name);
  for (size_t i = 0; i < s->used; i++) printf("%s%.0f", i ? "," : "", s->at[i]);
  printf("]");
}

typedef struct {
  int paced, rate;
  double amount, length;  // as on the command line
} plan;

static conn *idle_conn(target *t) {
  for (int i = 0; i < t->conn_count; i++)
    if (!t->conns[i].busy) return &t->conns[i];
  return NULL;
}

static void window(target *t, const plan *p, int round) {
  refresh(t);
  nap(SETTLE_MS);
  t->done = t->bad = t->chunks = t->late = opened = 0;
  t->lag.used = t->first.used = t->whole.used = 0;
  int loop = !p->paced && !p->rate, open = 0, fired = 0, told = 0;
  uint64_t cpu = cpu_ns(t), began = now(), next = began, last = began;
  uint64_t until = p->paced ? began : began + (uint64_t)(p->length * 1e6), give_up = until + 30000000000u;
  for (int i = 0; loop && i < t->conn_count; i++) open += fire(&t->conns[i]);
  for (;;) {
    uint64_t at = now();
    while (p->paced && fired < t->conn_count && at >= next) {
      open += fire(&t->conns[fired++]);
      next += (uint64_t)(p->length * 1e3);
      if (fired == t->conn_count) give_up = at + 30000000000u;
    }
    while (p->rate && at >= next && next < until) {
      conn *c = idle_conn(t);
      if (c) open += fire(c);
      else t->late++;
      next += (uint64_t)(1e9 / p->amount * (0.5 + drand48()));
    }
    int more = p->paced ? fired < t->conn_count : p->rate ? next < until : 0;
    if (!open && !more) break;
    if (at > give_up) {
      for (int i = 0; i < t->conn_count; i++)
        if (t->conns[i].busy) t->bad++, hang_up(&t->conns[i]);
      break;
    }
    struct epoll_event events[256];
    uint64_t wait = more ? (next > at ? next - at : 0) : 1000000000u;
    int n = epoll_pwait2(epoll_fd, events, 256, &(struct timespec){(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)}, NULL);
    for (int i = 0; i < n; i++) {
      conn *c = events[i].data.ptr;
      if (c->fd < 0) continue;
      int was_busy = c->busy, r = readable(c);
      if (c->of != t || !was_busy || r == 0) continue;
      open--;
      if (r > 0) {
        last = now();
        t->done++;
        if (p->rate) {
          sample(&t->first, (double)(c->first - c->began) / 1e3);
          sample(&t->whole, (double)(last - c->began) / 1e3);
        }
      }
      if (loop && now() < until) open += fire(c);
    }
    if (is_hold && !told && opened == t->conn_count) {
      told = 1;
      printf("{\"open\":%ld}\n", opened);
      fflush(stdout);
    }
  }
  uint64_t ended = now();
  nap(SETTLE_MS);  // what the target does after an answer counts too
  printf("{\"target\":\"%s\",\"round\":%d,\"ms\":%.3f,\"cpu_us\":%.1f,\"done\":%ld,\"bad\":%ld,\"late\":%ld,\"chunks\":%ld",
         t->name, round, (double)((last > began ? last : ended) - began) / 1e6, (double)(cpu_ns(t) - cpu) / 1e3,
         t->done, t->bad, t->late, t->chunks);
  print_quantiles(&t->lag);
  if (p->rate) {
    print_samples("first", &t->first);
    print_samples("whole", &t->whole);
  }
  printf("}\n");
  fflush(stdout);
}

static void read_request(const char *body) {
  static const char common[] =
      "Host: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: OpenAI/Python 2.6.1\r\nAuthorization: Bearer sk-bench-0123456789\r\n";
  if (!strncmp(body, "GET ", 4)) {
    request_length = (size_t)asprintf(&request, "%s HTTP/1.1\r\n%s\r\n", body, common);
    return;
  }
  FILE *file = fopen(body, "r");
  char *data = malloc(16 << 20);
  size_t length = file ? fread(data, 1, 16 << 20, file) : 0;
  if (!length) {
    fprintf(stderr, "cannot read %s\n", body);
    exit(2);
  }
  fclose(file);
  request = malloc(length + 1024);
  request_length = (size_t)sprintf(request, "POST /v1/chat/completions HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", common, length);
  memcpy(request + request_length, data, length);
  request_length += length;
  free(data);
}

static void read_target(target *t, char *text, int most) {
  char *name = strsep(&text, ":"), *port = strsep(&text, ":"), *pids = strsep(&text, ":"), *cap = text;
  if (!port || !pids) {
    fprintf(stderr, "a target is NAME:PORT:PID[,PID...][:MOST]\n");
    exit(2);
  }
  snprintf(t->name, sizeof t->name, "%s", name);
  t->port = atoi(port);
  for (char *pid; (pid = strsep(&pids, ",")) && t->pid_count < MAX_PIDS;) t->pids[t->pid_count++] = atoi(pid);
  t->conn_count = cap && atoi(cap) > 0 && atoi(cap) < most ? atoi(cap) : most;
  t->conns = calloc((size_t)t->conn_count, sizeof *t->conns);
  for (int i = 0; i < t->conn_count; i++) t->conns[i].of = t, t->conns[i].fd = -1;
}

int main(int argc, char **argv) {
  int count = argc - 6;
  const char *mode = argc > 1 ? argv[1] : "";
  plan p = {.paced = !strcmp(mode, "paced") || !strcmp(mode, "hold"), .rate = !strcmp(mode, "rate")};
  is_hold = !strcmp(mode, "hold");
  if (count < 1 || count > MAX_TARGETS || (!p.paced && !p.rate && strcmp(mode, "loop")))
    return fprintf(stderr, "usage: load loop|paced|rate|hold BODY AMOUNT LENGTH ROUNDS TARGET...\n"), 2;
  p.amount = atof(argv[3]);
  p.length = atof(argv[4]);
  int most = p.rate ? RATE_CONNECTIONS : (int)p.amount, rounds = atoi(argv[5]);
  if (most < 1 || most > MAX_CONNECTIONS) return fprintf(stderr, "1 to %d connections\n", MAX_CONNECTIONS), 2;
  signal(SIGPIPE, SIG_IGN);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  read_request(argv[2]);
  static target targets[MAX_TARGETS];
  for (int i = 0; i < count; i++) read_target(&targets[i], argv[6 + i], most);
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < count; i++) {
      // Every second round backwards: what ran before leaves its mark on caches and clocks, so it must not be the same.
      int at = (i + round) % count;
      window(&targets[round % 2 ? count - 1 - at : at], &p, round);
    }
  return 0;
}
