// The thread that writes. What waits for it while it commits goes into one transaction after that, so that many
// deliveries share the wait for the disk; and none is told that it is stored before it is.

#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hooks/inbox/store/rows.h"

namespace hooksmtpd::inbox {

// What is kept. 0: any number; a message goes when any of the three says so.
struct Retention {
  std::uint64_t messages = 100'000;
  std::uint64_t octets = 0;
  std::chrono::seconds age{0};
};

// Why something could not be written.
struct WriteFailure {
  bool full = false;  // no room: it may work later
  std::string text;
};

class Writer {
 public:
  struct Job {
    // In the writer's thread, perhaps twice: alone, if another one in its transaction failed. True: it has more to do,
    // and is called again in a later transaction.
    std::function<bool(Rows&)> write;
    // In the thread that calls finished().
    std::function<void(const std::optional<WriteFailure>&)> done;
  };

  // `wake` is called in the writer's thread when there is something for finished(). `database` is only the writer's.
  Writer(Database database, const Retention& retention, std::function<void()> wake);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  // Writes what waits, and ends the thread.
  ~Writer();

  void submit(Job job);
  // Calls done() of all jobs that are over, and returns what has changed.
  std::vector<Change> finished();

 private:
  struct Done {
    std::function<void(const std::optional<WriteFailure>&)> call;
    std::optional<WriteFailure> failure;
  };

  void run();
  void write(std::vector<Job> jobs);
  // nullopt: it is committed. `again`: those of the jobs that have more to do.
  std::optional<WriteFailure> commit(std::span<Job> jobs, std::vector<Job>& again);
  void announce(std::vector<Done> done, std::vector<Job> again);
  Rows::Keep keep() const;
  // Does a little of what can wait. True: there is more of it.
  bool tidy();

  Database database_;
  Rows rows_;
  const Retention retention_;
  const std::function<void()> wake_;

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Job> waiting_;
  std::vector<Done> done_;
  std::vector<Change> changes_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hooksmtpd::inbox
