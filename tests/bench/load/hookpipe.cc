// hookpipe: what a decision costs a hook and whoever asks it when there is nothing else: lines into a pipe, lines out
// of another. Keeps so many questions out, and asks again in one write for all that were answered by one read, as an
// event loop would. Prints one JSON object.

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::string_view_literals;

constexpr auto kBeforeId = "{\"v\":1,\"id\":"sv;
constexpr auto kHello =
    "{\"v\":1,\"id\":0,\"event\":\"hello\",\"minor\":0,\"daemon\":\"hookpipe\",\"hook\":\"bench\",\"instance\":1,"
    "\"isolation\":\"none\",\"events\":[\"validate_sender\",\"validate_recipient\",\"deliver\"],\"timeout_ms\":{},"
    "\"max_line\":65536,\"options\":{}}\n"sv;
constexpr std::chrono::seconds kPatience{10};

[[noreturn]] void die(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

struct Options {
  std::filesystem::path requests;
  std::size_t depth = 1;
  double seconds = 2;
  std::vector<std::string> command;
};

// The hook, at the other ends of two pipes.
class Child {
 public:
  explicit Child(const std::vector<std::string>& command) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) die("pipe2");
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ < 0) die("fork");
    if (pid_ == 0) {
      dup2(to[0], STDIN_FILENO);
      dup2(from[1], STDOUT_FILENO);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    in_ = to[1];
    out_ = from[0];
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{.events = EPOLLIN, .data = {}};
    if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, out_, &event) != 0) die("epoll");
  }
  Child(const Child&) = delete;
  ~Child() {
    close(in_);
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(in_, text.data(), text.size());
      if (written < 0) die("write");
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  std::string_view read() {
    epoll_event event;
    if (epoll_wait(epoll_, &event, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) != 1) {
      throw std::runtime_error("the hook has stopped answering");
    }
    const ssize_t got = ::read(out_, buffer_, sizeof buffer_);
    if (got <= 0) throw std::runtime_error("the hook has ended");
    return {buffer_, static_cast<std::size_t>(got)};
  }
  // Nanoseconds, of every thread.
  std::uint64_t cpu_time() const {
    std::uint64_t sum = 0;
    for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_))) {
      std::uint64_t time = 0;
      if (std::ifstream(task.path() / "schedstat") >> time) sum += time;
    }
    return sum;
  }

 private:
  pid_t pid_;
  int in_, out_, epoll_;
  char buffer_[64 * 1024];
};

class Driver {
 public:
  Driver(Child& child, const Options& options) : child_(child), depth_(options.depth) {
    std::ifstream in(options.requests);
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with(kBeforeId)) throw std::runtime_error("a request begins with v and id");
      requests_.push_back(line.substr(line.find(',', kBeforeId.size())) + "\n");
    }
    if (requests_.empty()) throw std::runtime_error("no requests");
    child_.write(kHello);
    while (unread_.find('\n') == std::string::npos) unread_ += child_.read();
    unread_.clear();
  }

  // Asks until the time is up, then waits for what is out.
  void run_for(std::chrono::duration<double> time) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
    ask(depth_);
    while (!asked_.empty()) {
      const std::size_t answers = take_answers(child_.read());
      if (answers > 0 && Clock::now() < end) ask(answers);
    }
  }

  std::uint64_t answered() const { return answered_; }
  std::vector<double>& microseconds() { return microseconds_; }
  void forget() {
    answered_ = 0;
    microseconds_.clear();
  }

 private:
  struct Asked {
    std::uint64_t id;
    Clock::time_point when;
  };

  void ask(std::size_t count) {
    out_.clear();
    const auto now = Clock::now();
    for (; count > 0; --count) {
      asked_.push_back({++last_id_, now});
      out_ += kBeforeId;
      char number[20];
      out_.append(number, std::to_chars(number, std::end(number), last_id_).ptr);
      out_ += requests_[last_id_ % requests_.size()];
    }
    child_.write(out_);
  }

  std::size_t take_answers(std::string_view text) {
    const auto now = Clock::now();
    std::size_t answers = 0;
    unread_ += text;
    std::size_t begin = 0;
    for (std::size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n', begin)) {
      take_answer(std::string_view(unread_).substr(begin, end - begin), now);
      begin = end + 1;
      ++answers;
    }
    unread_.erase(0, begin);
    return answers;
  }

  // Every one is checked: a hook that is wrong is not fast. Those without an id come in order.
  void take_answer(std::string_view line, Clock::time_point now) {
    auto asked = asked_.begin();
    if (line != "ok") {
      std::uint64_t id = 0;
      const std::size_t key = line.find("\"id\":");
      const std::size_t at = key == std::string_view::npos ? key : line.find_first_not_of(' ', key + 5);
      if (at != std::string_view::npos) std::from_chars(line.data() + at, line.data() + line.size(), id);
      asked = std::ranges::find(asked_, id, &Asked::id);
      if (asked == asked_.end() || line.find("\"accept\"") == std::string_view::npos) {
        throw std::runtime_error(fmt::format("not what was to be answered: {}", line));
      }
    }
    if (asked == asked_.end()) throw std::runtime_error("it answered what nobody had asked");
    microseconds_.push_back(std::chrono::duration<double, std::micro>(now - asked->when).count());
    asked_.erase(asked);
    ++answered_;
  }

  Child& child_;
  std::size_t depth_;
  std::vector<std::string> requests_;  // from behind the id on
  std::deque<Asked> asked_;
  std::string unread_, out_;
  std::uint64_t last_id_ = 0, answered_ = 0;
  std::vector<double> microseconds_;
};

std::uint64_t own_cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto nanoseconds = [](timeval time) {
    return (static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec)) * 1000;
  };
  return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

nlohmann::json measure(const Options& options) {
  Child child(options.command);
  Driver driver(child, options);
  driver.run_for(std::chrono::milliseconds(500));
  driver.forget();
  const std::uint64_t own = own_cpu_time(), childs = child.cpu_time();
  const auto begin = Clock::now();
  driver.run_for(std::chrono::duration<double>(options.seconds));
  const double wall = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  const double count = static_cast<double>(driver.answered());
  const double own_us = static_cast<double>(own_cpu_time() - own) / 1e3 / count;
  const double childs_us = static_cast<double>(child.cpu_time() - childs) / 1e3 / count;
  auto& each = driver.microseconds();
  std::ranges::sort(each);
  return {{"decisions", driver.answered()},
          {"cpu_us", own_us + childs_us},
          {"hook_cpu_us", childs_us},
          {"wall_us", wall / count},
          {"p50_us", each[each.size() / 2]}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("What a decision costs a hook and a bare pipe.");
  app.add_option("--requests", options.requests, "file of request lines")->required()->check(CLI::ExistingFile);
  app.add_option("--depth", options.depth, "questions that are out at once")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds);
  app.add_option("command", options.command, "the hook")->required();
  CLI11_PARSE(app, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  try {
    fmt::print("{}\n", measure(options).dump());
  } catch (const std::exception& error) {
    fmt::print(stderr, "hookpipe: {}\n", error.what());
    return 1;
  }
}
