#include "hooks/inbox/store/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace hooksmtpd::inbox {
namespace {

constexpr std::size_t kPrunedAtOnce = 200;
constexpr auto kTidyEvery = std::chrono::minutes(1);
constexpr std::int64_t kFreePages = 1024;  // are kept: new mail needs them
constexpr const char* kVacuumSome = "PRAGMA incremental_vacuum(256)";

void log(int level, const std::string& text) { fmt::print(stderr, "<{}>{}\n", level, text); }

}  // namespace

Writer::Writer(Database database, const Retention& retention, std::function<void()> wake)
    : database_(std::move(database)), rows_(database_), retention_(retention), wake_(std::move(wake)), thread_([this] {
        run();
      }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  more_.notify_one();
  thread_.join();
}

void Writer::submit(Job job) {
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    idle = waiting_.empty();
    waiting_.push_back(std::move(job));
  }
  if (idle) more_.notify_one();
}

std::vector<Change> Writer::finished() {
  std::vector<Done> done;
  std::vector<Change> changes;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
    changes.swap(changes_);
  }
  for (const Done& each : done) {
    if (each.call) each.call(each.failure);
  }
  return changes;
}

void Writer::run() {
  bool untidy = true;
  std::unique_lock lock(mutex_);
  while (true) {
    if (waiting_.empty() && !ending_ && !untidy) {
      untidy = !more_.wait_for(lock, kTidyEvery, [this] { return !waiting_.empty() || ending_; });
    }
    if (waiting_.empty() && ending_) return;
    std::vector<Job> jobs(std::move_iterator(waiting_.begin()), std::move_iterator(waiting_.end()));
    waiting_.clear();
    lock.unlock();
    if (jobs.empty()) {
      untidy = tidy();
    } else {
      write(std::move(jobs));
    }
    lock.lock();
  }
}

void Writer::write(std::vector<Job> jobs) {
  std::vector<Done> done;
  std::vector<Job> again;
  auto failure = commit(jobs, again);
  const bool alone = failure && !failure->full && jobs.size() > 1;
  if (!alone) {
    for (Job& job : jobs) {
      if (job.write) done.push_back({std::move(job.done), failure});
    }
    return announce(std::move(done), std::move(again));
  }
  for (Job& job : jobs) {
    failure = commit({&job, 1}, again);
    if (job.write) done.push_back({std::move(job.done), failure});
  }
  announce(std::move(done), std::move(again));
}

std::optional<WriteFailure> Writer::commit(std::span<Job> jobs, std::vector<Job>& again) try {
  std::vector<std::size_t> unfinished;
  {
    Transaction transaction(database_);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].write(rows_)) unfinished.push_back(i);
    }
    rows_.prune(keep(), jobs.size() + kPrunedAtOnce);
    rows_.flush();
    transaction.commit();
  }
  for (const std::size_t i : unfinished) again.push_back(std::exchange(jobs[i], {}));
  return std::nullopt;
} catch (const DatabaseError& error) {
  rows_.forget();
  return WriteFailure{.full = error.full(), .text = error.what()};
} catch (const std::exception& error) {
  rows_.forget();
  return WriteFailure{.full = false, .text = error.what()};
}

void Writer::announce(std::vector<Done> done, std::vector<Job> again) {
  auto changes = rows_.take_changes();
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(done, std::back_inserter(done_));
    std::ranges::move(changes, std::back_inserter(changes_));
    std::ranges::move(again, std::back_inserter(waiting_));
  }
  wake_();
}

Rows::Keep Writer::keep() const {
  const std::int64_t since = retention_.age.count() == 0 ? 0 : Time(now() - retention_.age).time_since_epoch().count();
  return {.messages = retention_.messages, .octets = retention_.octets, .not_before = since};
}

bool Writer::tidy() try {
  std::size_t gone = 0;
  {
    Transaction transaction(database_);
    gone = rows_.prune(keep(), kPrunedAtOnce) + rows_.prune_sessions(keep(), kPrunedAtOnce);
    rows_.flush();
    transaction.commit();
  }
  if (gone > 0) {
    announce({}, {});
    return true;
  }
  if (database_.number("PRAGMA freelist_count") <= kFreePages) return false;
  database_.run(kVacuumSome);
  return true;
} catch (const DatabaseError& error) {
  rows_.forget();
  log(4, fmt::format("cannot tidy up: {}", error.what()));
  return false;
}

}  // namespace hooksmtpd::inbox
