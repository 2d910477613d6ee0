#include "hooks/tcl/notifier.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <tcl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

namespace hooksmtpd::tcl {
namespace {

// What one thread waits for. Row 0 is `alarm`, which other threads ring; the rest are files.
struct Notifier {
  struct Handler {
    Tcl_FileProc* proc = nullptr;
    ClientData data = nullptr;
    int ready = 0;  // what an event in the queue will tell it
  };

  std::vector<pollfd> polled;
  std::vector<Handler> handlers;

  Notifier() : polled(1), handlers(1) {
    polled[0] = {.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .events = POLLIN, .revents = 0};
  }
  Notifier(const Notifier&) = delete;
  ~Notifier() { close(polled[0].fd); }

  // Its row, or 0.
  std::size_t find(int file) const {
    const auto found =
        std::find_if(polled.begin() + 1, polled.end(), [&](const pollfd& row) { return row.fd == file; });
    return found == polled.end() ? 0 : static_cast<std::size_t>(found - polled.begin());
  }
};

thread_local std::unique_ptr<Notifier> here;

struct FileEvent {
  Tcl_Event header;
  int file;
};

short poll_events(int mask) {
  return static_cast<short>((mask & TCL_READABLE ? POLLIN : 0) | (mask & TCL_WRITABLE ? POLLOUT : 0) |
                            (mask & TCL_EXCEPTION ? POLLPRI : 0));
}

// As select(2) has it: after a hang-up, or an error, neither reading nor writing blocks.
int ready_mask(const pollfd& row) {
  const int seen = (row.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL) ? TCL_READABLE : 0) |
                   (row.revents & (POLLOUT | POLLERR | POLLNVAL) ? TCL_WRITABLE : 0) |
                   (row.revents & POLLPRI ? TCL_EXCEPTION : 0);
  const int wanted = (row.events & POLLIN ? TCL_READABLE : 0) | (row.events & POLLOUT ? TCL_WRITABLE : 0) |
                     (row.events & POLLPRI ? TCL_EXCEPTION : 0);
  return seen & wanted;
}

void create_file_handler(int file, int mask, Tcl_FileProc* proc, ClientData data) {
  std::size_t row = here->find(file);
  if (row == 0) {
    row = here->polled.size();
    here->polled.emplace_back();
    here->handlers.emplace_back();
  }
  here->polled[row] = {.fd = file, .events = poll_events(mask), .revents = 0};
  here->handlers[row].proc = proc;
  here->handlers[row].data = data;
}

void delete_file_handler(int file) {
  if (!here) return;  // channels are closed last
  const std::size_t row = here->find(file);
  if (row == 0) return;
  here->polled.erase(here->polled.begin() + static_cast<std::ptrdiff_t>(row));
  here->handlers.erase(here->handlers.begin() + static_cast<std::ptrdiff_t>(row));
}

// An event out of the queue. Since it was put there its handler may have gone, or want to hear of less.
int handle(Tcl_Event* event, int flags) {
  if (!(flags & TCL_FILE_EVENTS)) return 0;
  const std::size_t row = here->find(reinterpret_cast<FileEvent*>(event)->file);
  if (row == 0) return 1;
  const Notifier::Handler handler = here->handlers[row];
  here->handlers[row].ready = 0;
  const short wanted = here->polled[row].events;
  int mask = handler.ready;
  if (!(wanted & POLLIN)) mask &= ~TCL_READABLE;
  if (!(wanted & POLLOUT)) mask &= ~TCL_WRITABLE;
  if (!(wanted & POLLPRI)) mask &= ~TCL_EXCEPTION;
  if (mask != 0) handler.proc(handler.data, mask);
  return 1;
}

void queue(std::size_t row, int mask) {
  if (here->handlers[row].ready == 0) {
    auto* event = reinterpret_cast<FileEvent*>(Tcl_Alloc(sizeof(FileEvent)));
    *event = {.header = {.proc = handle, .nextPtr = nullptr}, .file = here->polled[row].fd};
    Tcl_QueueEvent(&event->header, TCL_QUEUE_TAIL);
  }
  here->handlers[row].ready = mask;
}

int wait_for_event(const Tcl_Time* time) {
  timespec limit{};
  if (time != nullptr) limit = {.tv_sec = time->sec, .tv_nsec = time->usec * 1000L};
  if (ppoll(here->polled.data(), here->polled.size(), time != nullptr ? &limit : nullptr, nullptr) <= 0) return 0;
  std::uint64_t rung = 0;
  if (here->polled[0].revents != 0) [[maybe_unused]]
    const ssize_t got = read(here->polled[0].fd, &rung, sizeof rung);
  for (std::size_t row = 1; row < here->polled.size(); ++row) {
    if (const int mask = ready_mask(here->polled[row])) queue(row, mask);
  }
  return 0;
}

ClientData init_notifier() {
  here = std::make_unique<Notifier>();
  return here.get();
}

void finalize_notifier(ClientData) { here.reset(); }

// From another thread.
void alert_notifier(ClientData notifier) {
  const std::uint64_t once = 1;
  [[maybe_unused]] const ssize_t written = write(static_cast<Notifier*>(notifier)->polled[0].fd, &once, sizeof once);
}

}  // namespace

void use_own_notifier() {
  Tcl_NotifierProcs procs{.setTimerProc = [](const Tcl_Time*) {},  // for loops that are not Tcl's
                          .waitForEventProc = wait_for_event,
                          .createFileHandlerProc = create_file_handler,
                          .deleteFileHandlerProc = delete_file_handler,
                          .initNotifierProc = init_notifier,
                          .finalizeNotifierProc = finalize_notifier,
                          .alertNotifierProc = alert_notifier,
                          .serviceModeHookProc = [](int) {}};
  Tcl_SetNotifier(&procs);
}

}  // namespace hooksmtpd::tcl
