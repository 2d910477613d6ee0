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

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::string_view_literals;

struct Answer {
  Clock::time_point due;
  std::string line;
};

std::chrono::milliseconds after{0};
bool serial = false;

std::string answer_to(std::string_view request) {
  constexpr auto kId = "\"id\":"sv;
  const std::size_t begin = request.find(kId) + kId.size();
  std::string line = "{\"id\":";
  line += request.substr(begin, request.find(',', begin) - begin);
  const bool hello = request.find("\"event\":\"hello\"") != std::string_view::npos;
  line += hello && !serial ? ",\"concurrency\":64,\"action\":\"accept\"}\n" : ",\"action\":\"accept\"}\n";
  return line;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0) std::exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Takes the whole lines off the front of `unread`.
void take_lines(std::string& unread, std::deque<Answer>& answers) {
  std::size_t begin = 0;
  for (std::size_t end = unread.find('\n'); end != std::string::npos; end = unread.find('\n', begin)) {
    answers.push_back({Clock::now() + after, answer_to(std::string_view(unread).substr(begin, end - begin))});
    begin = end + 1;
  }
  unread.erase(0, begin);
}

int until_due(const std::deque<Answer>& answers) {
  if (answers.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(answers.front().due - Clock::now());
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
  std::deque<Answer> answers;
  while (true) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (answers.empty() || poll(&input, 1, until_due(answers)) > 0) {
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got <= 0) return 0;
      unread.append(buffer, static_cast<std::size_t>(got));
      take_lines(unread, answers);
    }
    ready.clear();
    for (const auto now = Clock::now(); !answers.empty() && answers.front().due <= now; answers.pop_front()) {
      ready += answers.front().line;
    }
    write_all(ready);
  }
}
