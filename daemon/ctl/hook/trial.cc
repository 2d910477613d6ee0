#include "daemon/ctl/hook/trial.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>

#include "daemon/ctl/hook/start_program.h"

namespace hooksmtpd::ctl {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxLog = 256 * 1024;  // of stderr, kept until it is asked for
constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What the daemon gives to a hook, and nothing of ours: a hook that needs more does not work there either.
std::vector<std::string> environment(const TrialSettings& settings) {
  if (settings.own_environment) {
    std::vector<std::string> ours;
    for (char** one = environ; *one != nullptr; ++one) ours.emplace_back(*one);
    return ours;
  }
  const std::string state = settings.state.string(), sdk = settings.sdk.string();
  std::vector<std::string> variables;
  const auto set = [&](std::string_view name, std::string_view value) {
    variables.push_back(fmt::format("{}={}", name, value));
  };
  set("PATH", kPath);
  set("LANG", "C.UTF-8");
  if (const char* zone = std::getenv("TZ")) set("TZ", zone);
  set("HOME", state);
  set("HOOK_STATE", state);
  set("HOOK_NAME", settings.name);
  set("PYTHONUNBUFFERED", "1");
  if (!sdk.empty()) {
    for (const auto name : {"HOOK_SDK", "PYTHONPATH", "NODE_PATH"}) set(name, sdk);
  }
  return variables;
}

// Appends what is there. False: that was the end.
bool read_all(const sys::Fd& fd, std::string& out) {
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
    if (got == 0) return false;
    if (got < 0 && errno != EINTR) return errno == EAGAIN;
  }
}

int milliseconds_until(Trial::Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Trial::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

}  // namespace

Trial::Trial(const TrialSettings& settings) : channel_(settings.speaker), explain_(settings.explain) {
  ::signal(SIGPIPE, SIG_IGN);
  Started started = start_program(settings.command, environment(settings), settings.state);
  pid_ = started.pid;
  stdin_ = std::move(started.in);
  stdout_ = std::move(started.out);
  stderr_ = std::move(started.err);
}

Trial::~Trial() {
  kill_all();
  reap(2s);
}

std::expected<hook::HelloReply, std::string> Trial::hello(const Question& question, std::chrono::milliseconds limit) {
  const std::vector<Said> said = ask(std::span(&question, 1), limit);
  if (ready_) return *ready_;
  return std::unexpected(said.empty() ? std::string("it did not answer hello") : said.front().failure);
}

std::vector<Said> Trial::ask(std::span<const Question> questions, std::chrono::milliseconds limit) {
  const auto begin = Clock::now();
  for (const Question& question : questions) {
    channel_.sent(question.id, question.event, begin + limit);
    to_write_ += question.line;
  }
  write_some();
  while (channel_.outstanding() > 0 && !channel_.broken()) {
    wait(*channel_.next_deadline());
    sort_outcomes();
    channel_.expire(Clock::now());
    sort_outcomes();
  }
  sort_outcomes();
  for (Said& said : said_) said.took -= begin.time_since_epoch();
  return std::exchange(said_, {});
}

// Until something has happened, or the time is up.
void Trial::wait(Clock::time_point until) {
  std::array<pollfd, 3> files{{{.fd = stdout_.get(), .events = POLLIN, .revents = 0},
                               {.fd = stderr_.get(), .events = POLLIN, .revents = 0},
                               {.fd = to_write_.empty() ? -1 : stdin_.get(), .events = POLLOUT, .revents = 0}}};
  if (::poll(files.data(), files.size(), milliseconds_until(until)) <= 0) return;
  if (files[2].revents != 0) write_some();
  if (files[1].revents != 0) read_stderr();
  if (files[0].revents != 0) read_stdout();
}

void Trial::write_some() {
  while (!to_write_.empty() && stdin_.valid()) {
    const ssize_t written = ::write(stdin_.get(), to_write_.data(), to_write_.size());
    if (written > 0) {
      to_write_.erase(0, static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {  // it has closed its end; it may still answer what it has read
      to_write_.clear();
    }
  }
}

void Trial::read_stdout() {
  std::string bytes;
  const bool more = read_all(stdout_, bytes);
  if (channel_.broken()) {
    unread_ += bytes;
  } else {
    channel_.received(bytes);
  }
  if (more) return;
  sort_outcomes();
  stdout_.reset();
  if (!stdin_.valid()) return;  // as it should
  const bool ended = reap(500ms);
  if (!ended) kill_all();
  read_stderr();
  channel_.fail(ended ? "it " + how_it_ended() : "it closed its standard output");
}

void Trial::read_stderr() {
  if (!stderr_.valid()) return;
  if (!read_all(stderr_, log_)) stderr_.reset();
  if (log_.size() > kMaxLog) log_.erase(0, log_.size() - kMaxLog);
}

void Trial::sort_outcomes() {
  while (auto outcome = channel_.next()) {
    const auto now = Clock::now().time_since_epoch();
    const std::string line(channel_.last_line());
    if (auto* ready = std::get_if<hook::outcome::Ready>(&*outcome)) {
      said_.push_back({.id = ready->id, .answer = {}, .failure = {}, .line = line, .took = now});
      ready_ = std::move(ready->reply);
    } else if (auto* answer = std::get_if<hook::outcome::Answer>(&*outcome)) {
      said_.push_back({.id = answer->id, .answer = *answer, .failure = {}, .line = line, .took = now});
    } else if (auto* failure = std::get_if<hook::outcome::Failure>(&*outcome)) {
      said_.push_back({.id = failure->id, .answer = {}, .failure = failure->reason, .line = line, .took = now});
    } else if (auto* notice = std::get_if<hook::outcome::Notice>(&*outcome)) {
      notices_.push_back(std::move(notice->text));
    }
    // A Broken says what the failures before it said; if nothing was out any more, it is a notice.
    if (auto* broken = std::get_if<hook::outcome::Broken>(&*outcome)) {
      const bool said = std::ranges::find(said_, broken->reason, &Said::failure) != said_.end();
      if (!said) notices_.push_back(std::move(broken->reason));
    }
  }
}

bool Trial::end(std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  stdin_.reset();
  while ((stdout_.valid() || stderr_.valid()) && Clock::now() < until) {
    wait(until);
    sort_outcomes();
  }
  return reap(std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now())));
}

bool Trial::was_buffered(std::chrono::milliseconds limit) {
  end(limit);
  const std::string_view line = std::string_view(unread_).substr(0, unread_.find('\n'));
  return unread_.find('\n') != std::string::npos && hook::parse_hello_reply(line).has_value();
}

std::vector<std::string> Trial::take_log() {
  read_stderr();
  std::vector<std::string> lines;
  for (std::size_t end; (end = log_.find('\n')) != std::string::npos; log_.erase(0, end + 1)) {
    lines.push_back(log_.substr(0, end));
  }
  if (!stderr_.valid() && !log_.empty()) lines.push_back(std::exchange(log_, {}));
  if (!explain_) return lines;
  std::vector<std::string> explained;
  for (std::string& line : lines) {
    auto why = explain_(line);
    explained.push_back(std::move(line));
    if (why) explained.push_back(*std::move(why));
  }
  return explained;
}

std::string Trial::how_it_ended() const {
  if (!status_) return "is still running";
  if (WIFEXITED(*status_)) return fmt::format("ended with status {}", WEXITSTATUS(*status_));
  return fmt::format("was killed by signal {} ({})", WTERMSIG(*status_), ::strsignal(WTERMSIG(*status_)));
}

// Nothing that poll() could wait for here says that a process has ended. What it left behind in its process group goes
// with it, while the number of the group is still its own.
bool Trial::reap(std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  while (!status_) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) < 0) break;
    if (info.si_pid == pid_) {
      kill_all();
      int status = 0;
      if (::waitpid(pid_, &status, 0) == pid_) status_ = status;
    } else if (Clock::now() < until) {
      std::this_thread::sleep_for(2ms);
    } else {
      break;
    }
  }
  return status_.has_value();
}

// It leads a session of its own, so its children are in its process group unless they left it.
void Trial::kill_all() {
  if (!status_) ::kill(-pid_, SIGKILL);
}

}  // namespace hooksmtpd::ctl
