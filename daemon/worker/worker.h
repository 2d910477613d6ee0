// The worker as a whole: the event loop, the clients, the hooks, and the supervisor's orders.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/log.h"
#include "daemon/worker/clients.h"
#include "daemon/worker/dispatcher.h"
#include "daemon/worker/event.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/keyholder.h"
#include "daemon/worker/spool.h"
#include "daemon/worker/subscriptions.h"

namespace hooksmtpd::worker {

class Worker {
 public:
  struct Start {
    sys::Log log;
    sys::Fd control;  // to the supervisor
    sys::Fd life;     // its end means: exit
    sys::Fd spool;    // the folder
    std::vector<std::pair<sys::Fd, std::string>> listeners;
    std::string isolation = "none";  // how well hooks are locked in: they are told in hello
  };
  explicit Worker(Start start);
  ~Worker();

  // Until the supervisor wants no more of us. Gives the exit status.
  int run();

 private:
  void configure(const sys::Frame& frame);
  void retire_changed_hooks(const config::Config& before);
  void on_control() noexcept;
  void on_life() noexcept;
  void on_terminate() noexcept;
  void obey(sys::Frame frame);
  void start_hook(sys::Frame frame);
  void log_hello(const HookProcess& process);
  void retire_hook(const sys::Frame& frame);
  void begin_drain(const sys::Frame& frame);
  void on_drain_over();
  void report_drained();
  void send_status(const sys::Frame& frame);
  void flush_log();
  void send(sys::FrameKind kind, std::string body);
  void stop(int status, const std::string& why);

  EventBase base_;
  sys::Log log_;
  sys::Fd control_, life_;
  sys::Fd spool_folder_;
  std::vector<std::pair<sys::Fd, std::string>> listeners_;
  std::string isolation_;
  Keyholder keyholder_;  // outlives every generation, and so whoever holds one
  Subscriptions subscriptions_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Clients> clients_;
  std::map<const HookProcess*, std::uint32_t> slots_;
  GenerationPtr generation_;
  Event on_control_, on_life_, on_terminate_;
  Timer<Worker, &Worker::flush_log> log_timer_;
  Timer<Worker, &Worker::on_drain_over> drain_timer_;
  bool draining_ = false;
  bool drained_ = false;
  bool stopped_ = false;
  int status_ = 0;
};

}  // namespace hooksmtpd::worker
