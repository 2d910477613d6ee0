// A hook without a language's costs: finds the id, accepts, and answers all lines of a read in one write.
//
//   accept [--after MILLISECONDS] [--serial]
//
// With --after each answer comes so long after its question, whatever else comes meanwhile. --serial: one at a time.

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::string_view_literals;

struct Answer {
  Clock::time_point due;
  std::string line{};
};

std::chrono::milliseconds after{0};
bool serial = false;

// The id as it is written. Nothing of hello but its place tells it from the others: it is the first.
void append_answer(std::string& out, std::string_view request) {
  static bool greeted = false;
  constexpr auto kId = "\"id\":"sv;
  const std::size_t begin = request.find(kId) + kId.size();
  out += "{\"id\":";
  out += request.substr(begin, request.find(',', begin) - begin);
  out += std::exchange(greeted, true) || serial ? ",\"action\":\"accept\"}\n"
                                                : ",\"concurrency\":64,\"action\":\"accept\"}\n";
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0) std::exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Answers the whole lines at the front of `unread`, or notes when to, and takes them off.
void take_lines(std::string& unread, std::string& ready, std::deque<Answer>& later) {
  std::size_t begin = 0;
  for (std::size_t end = unread.find('\n'); end != std::string::npos; end = unread.find('\n', begin)) {
    const std::string_view line = std::string_view(unread).substr(begin, end - begin);
    begin = end + 1;
    if (after.count() == 0) {
      append_answer(ready, line);
    } else {
      append_answer(later.emplace_back(Answer{.due = Clock::now() + after}).line, line);
    }
  }
  unread.erase(0, begin);
}

int until_due(const std::deque<Answer>& later) {
  if (later.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(later.front().due - Clock::now());
  return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == "--serial"sv) serial = true;
    if (argv[i] == "--after"sv && i + 1 < argc) after = std::chrono::milliseconds(std::atoi(argv[++i]));
  }
  static char buffer[64 * 1024];
  std::string unread, ready;
  std::deque<Answer> later;
  while (true) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (later.empty() || poll(&input, 1, until_due(later)) > 0) {
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got <= 0) return 0;
      unread.append(buffer, static_cast<std::size_t>(got));
      take_lines(unread, ready, later);
    }
    for (; !later.empty() && later.front().due <= Clock::now(); later.pop_front()) ready += later.front().line;
    write_all(ready);
    ready.clear();
  }
}
