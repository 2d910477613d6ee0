// smtpload: what does a message cost a server? One JSON object on standard output; the exit status is 0 only if every
// reply was the expected one.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/bench/load/dialogue.h"
#include "tests/bench/load/engine.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/server_cost.h"

using namespace hooksmtpd::bench;

namespace {

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

// Looks at the server's memory twice a second for as long as it lives.
class PeakMemory {
 public:
  explicit PeakMemory(const Options& options)
      : thread_([&options, this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            peak_ = std::max(peak_.load(), memory(options).pss_kib);
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
          }
        }) {}

  std::uint64_t end() {
    thread_.request_stop();
    thread_.join();
    return peak_;
  }

 private:
  std::atomic<std::uint64_t> peak_ = 0;
  std::jthread thread_;
};

nlohmann::json measure_messages(const Options& options, const Dialogue& dialogue) {
  const std::uint64_t memory_before = memory(options).pss_kib;
  {
    Engine warm_up(options, dialogue, Engine::Job::kSend);
    warm_up.send_for(std::chrono::duration<double>(options.warm_up));
    if (warm_up.errors() > 0) throw std::runtime_error("errors in the warm-up");
  }
  wait_until_quiet(options);
  PeakMemory peak(options);
  const std::uint64_t cpu_before = cpu_time(options);
  const auto begin = Clock::now();
  Engine engine(options, dialogue, Engine::Job::kSend);
  engine.send_for(std::chrono::duration<double>(options.seconds));
  const double wall = seconds_since(begin);
  const std::uint64_t peak_pss = peak.end();
  wait_until_quiet(options);
  const std::uint64_t cpu = cpu_time(options) - cpu_before;
  const double messages = static_cast<double>(std::max<std::uint64_t>(engine.completed(), 1));
  auto& milliseconds = engine.milliseconds();
  std::ranges::sort(milliseconds);
  const auto at = [&](double part) {
    return milliseconds.empty()
               ? 0.0
               : milliseconds[static_cast<std::size_t>(part * static_cast<double>(milliseconds.size() - 1))];
  };
  return {
      {"errors", engine.errors()},
      {"messages", engine.completed()},
      {"cpu_us", microseconds(cpu) / messages},
      {"messages_per_second", messages / wall},
      {"mib_per_second", static_cast<double>(engine.octets()) / 1048576 / wall},
      {"p50_ms", at(0.5)},
      {"p99_ms", at(0.99)},
      {"memory_growth_kib", static_cast<std::int64_t>(peak_pss) - static_cast<std::int64_t>(memory_before)},
  };
}

nlohmann::json measure_idle(const Options& options, const Dialogue& dialogue) {
  {  // one session first: what is loaded at first use is not charged to the connections
    Options once = options;
    once.connections = 1;
    Engine first(once, dialogue, Engine::Job::kSend);
    first.send_for(std::chrono::milliseconds(100));
  }
  wait_until_quiet(options);
  const Memory before = memory(options);
  const std::uint64_t cpu_before = cpu_time(options);
  Engine engine(options, dialogue, Engine::Job::kHold);
  engine.hold(options.idle);
  wait_until_quiet(options);
  const std::uint64_t cpu_held = cpu_time(options);
  const Memory after = memory(options);
  const auto begin = Clock::now();
  engine.noop_on_all();
  const double count = static_cast<double>(options.idle);
  return {
      {"errors", engine.errors()},
      {"bytes_each", (static_cast<double>(after.pss_kib) - static_cast<double>(before.pss_kib)) * 1024 / count},
      {"open_cpu_us", microseconds(cpu_held - cpu_before) / count},
      {"processes", after.processes},
      {"noop_seconds", seconds_since(begin)},
  };
}

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse_options(argc, argv);
    const Dialogue dialogue = make_dialogue(options);
    raise_descriptor_limit();
    const auto result = options.idle > 0 ? measure_idle(options, dialogue) : measure_messages(options, dialogue);
    fmt::print("{}\n", result.dump());
    return result["errors"] == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "smtpload: {}\n", error.what());
    return 2;
  }
}
