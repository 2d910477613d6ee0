// A hook that is tried out without a daemon: started as the daemon starts it (pipes, its environment, a state folder),
// and spoken to through the daemon's own Channel, so that what is good here is good there.
//
// It is not locked in: it runs as who starts it.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/sys/fd.h"
#include "proto/hook/channel.h"

namespace hooksmtpd::ctl {

struct TrialSettings {
  std::vector<std::string> command;  // the program with its path, or a name for PATH
  std::string name;                  // of the hook
  std::filesystem::path state;       // HOOK_STATE, HOME and working directory
  std::filesystem::path sdk;         // HOOK_SDK; empty: there is none
  hook::Speaker speaker = hook::Speaker::kHook;
  // What a line of its standard error has to do with its sandbox; empty: nobody is asked.
  std::function<std::optional<std::string>(std::string_view line)> explain{};
  bool own_environment = false;  // the program makes the hook's environment itself, and gets ours
};

// One line to write, with its LF.
struct Question {
  hook::RequestId id = 0;
  hook::Event event{};
  std::string line;
};

// What came of one question.
struct Said {
  hook::RequestId id = 0;
  std::optional<hook::outcome::Answer> answer;  // nullopt: it failed,
  std::string failure;                          // and this is why
  std::string line;                             // the line that decided, as it was written; empty: none
  std::chrono::nanoseconds took{};
};

class Trial {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws std::system_error if the program cannot be started.
  explicit Trial(const TrialSettings& settings);
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial();  // kills what is left of it

  // Says hello. An error is a sentence, and the hook is of no more use.
  std::expected<hook::HelloReply, std::string> hello(const Question& question, std::chrono::milliseconds limit);

  // Writes all questions at once, at most room() of them, and waits until each is answered or failed.
  std::vector<Said> ask(std::span<const Question> questions, std::chrono::milliseconds limit);
  std::size_t room() const { return channel_.room(); }

  // It broke the rules in a way that the daemon would kill it for.
  bool broken() const { return channel_.broken(); }

  // Ends its input, and waits until it is gone. False: it had to be killed. What it still says is noted.
  bool end(std::chrono::milliseconds limit);

  // After a hello without an answer, its input at an end: the answer came then, so it sat in a buffer.
  bool was_buffered(std::chrono::milliseconds limit);

  // What the daemon would log about its output, and what it wrote to stderr, since the last time.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }
  std::vector<std::string> take_log();

  // How it ended, once it has: "ended with status 1".
  std::string how_it_ended() const;

 private:
  void wait(Clock::time_point until);
  void write_some();
  void read_stdout();
  void read_stderr();
  void sort_outcomes();
  bool reap(std::chrono::milliseconds limit);
  void kill_all();

  hook::Channel channel_;
  pid_t pid_ = -1;
  std::optional<int> status_;  // of waitpid()
  sys::Fd stdin_, stdout_, stderr_;
  std::string to_write_;
  std::string log_;     // of stderr, a line that has not ended among it
  std::string unread_;  // of stdout, once the channel is broken
  std::function<std::optional<std::string>(std::string_view line)> explain_;
  std::vector<std::string> notices_;
  std::vector<Said> said_;
  std::optional<hook::HelloReply> ready_;
};

}  // namespace hooksmtpd::ctl
