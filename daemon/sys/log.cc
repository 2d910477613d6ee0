#include "daemon/sys/log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "daemon/sys/journal.h"
#include "daemon/sys/line_writer.h"

namespace hooksmtpd::sys {
namespace {

constexpr std::size_t kGather = 4096;           // a batch of lines a write
constexpr std::size_t kBound = 1024 * 1024;     // kept for a pipe that is not read, or a stopped terminal
constexpr std::size_t kRecovered = kBound / 2;  // room enough to say what is missing, and to go on

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// As syslog(3) has it.
int priority_of(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return 3;
    case LogLevel::kWarn:
      return 4;
    case LogLevel::kInfo:
      return 6;
    default:
      return 7;
  }
}

std::string dropped_line(std::uint64_t count) { return fmt::format("log dropped={}", count); }

void append(spdlog::memory_buf_t& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

// The "<N>" of syslog(3), as journald and our supervisor read it.
class SyslogPrefix : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    append(out, message.level >= spdlog::level::err    ? "<3>"
                : message.level == spdlog::level::warn ? "<4>"
                : message.level == spdlog::level::info ? "<6>"
                                                       : "<7>");
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<SyslogPrefix>(); }
};

// For people: what is normal carries no level, the rest stands out.
class SpokenLevel : public spdlog::custom_flag_formatter {
 public:
  explicit SpokenLevel(bool colour) : colour_(colour) {}
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    if (message.level >= spdlog::level::err) {
      append(out, colour_ ? "\x1b[1;31merror:\x1b[0m " : "error: ");
    } else if (message.level == spdlog::level::warn) {
      append(out, colour_ ? "\x1b[1;33mwarning:\x1b[0m " : "warning: ");
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<SpokenLevel>(colour_); }

 private:
  bool colour_;
};

template <class Flag, class... T>
std::unique_ptr<spdlog::formatter> layout(std::string pattern, T... arguments) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<Flag>('*', arguments...).set_pattern(std::move(pattern));
  return formatter;
}

std::unique_ptr<spdlog::formatter> layout_for(int fd) {
  if (is_journal(fd)) return layout<SyslogPrefix>("%*%v");
  if (::isatty(fd) != 1) return layout<SpokenLevel>("%Y-%m-%dT%H:%M:%S.%e%z %*%v", false);
  const char* term = std::getenv("TERM");
  const bool colour = std::getenv("NO_COLOR") == nullptr && term != nullptr && std::string_view(term) != "dumb";
  return layout<SpokenLevel>("%H:%M:%S %*%v", colour);
}

}  // namespace

// Where lines go, and what is said of those that are lost.
struct Log::Sink {
  virtual ~Sink() = default;
  virtual void line(LogLevel level, std::string_view text, const About& about) = 0;
  virtual void flush() = 0;
  virtual bool pending() const = 0;
  virtual int fd() const = 0;
  virtual std::uint64_t dropped() const = 0;
};

struct Log::LineSink final : Sink {
  enum class Abouts : std::uint8_t { kWritten, kLeftOut };

  LineSink(LineWriter writer, std::unique_ptr<spdlog::formatter> layout, Abouts kept)
      : lines(std::move(writer)), formatter(std::move(layout)), abouts(kept) {}

  void line(LogLevel level, std::string_view text, const About& about) override {
    tell_of_dropped();
    if (abouts == Abouts::kWritten && !about.empty()) return put(level, with_about(about, text));
    put(level, text);
  }

  void flush() override {
    lines.flush();
    tell_of_dropped();
  }

  bool pending() const override { return lines.pending(); }
  int fd() const override { return lines.fd(); }
  std::uint64_t dropped() const override { return lines.dropped(); }

  void put(LogLevel level, std::string_view text) {
    spdlog::memory_buf_t line;
    formatter->format(spdlog::details::log_msg({}, to_spdlog(level), {text.data(), text.size()}), line);
    lines.add({line.data(), line.size()});
  }

  // Later lines say what is missing before them.
  void tell_of_dropped() {
    if (!lines.has_room_for(kRecovered)) return;
    if (const std::uint64_t count = lines.take_dropped(); count != 0) put(LogLevel::kWarn, dropped_line(count));
  }

  LineWriter lines;
  std::unique_ptr<spdlog::formatter> formatter;
  Abouts abouts;
};

struct Log::JournalSink final : Sink {
  explicit JournalSink(Fd socket) : records(std::move(socket), kBound) {}

  void line(LogLevel level, std::string_view text, const About& about) override {
    tell_of_dropped();
    records.add(journal_record(priority_of(level), text, about));
  }

  void flush() override {
    records.flush();
    tell_of_dropped();
  }

  bool pending() const override { return records.pending(); }
  int fd() const override { return records.fd(); }
  std::uint64_t dropped() const override { return records.dropped(); }

  void tell_of_dropped() {
    if (!records.has_room_for(kRecovered)) return;
    const std::uint64_t count = records.take_dropped();
    if (count != 0) records.add(journal_record(priority_of(LogLevel::kWarn), dropped_line(count), {}));
  }

  JournalWriter records;
};

Log::Log(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() {
  if (sink_) sink_->flush();
}

Log Log::to_pipe(Fd pipe) {
  return Log(std::make_unique<LineSink>(LineWriter(std::move(pipe), kGather, kBound), layout<SyslogPrefix>("%*%v"),
                                        LineSink::Abouts::kWritten));
}

Log Log::to_stderr() {
  return Log(std::make_unique<LineSink>(LineWriter(nonblocking_copy(STDERR_FILENO), kGather, kBound),
                                        layout_for(STDERR_FILENO), LineSink::Abouts::kLeftOut));
}

Log Log::to_journal(Fd socket) { return Log(std::make_unique<JournalSink>(std::move(socket))); }

void Log::write(LogLevel level, std::string_view text, const About& about) {
  if (!enabled(level)) return;
  std::string line;
  while (true) {
    const std::size_t end = text.find('\n');
    line.assign(text.substr(0, end));
    std::ranges::replace_if(line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    sink_->line(level, line, about);
    if (end == std::string_view::npos || end + 1 == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

void Log::flush() { sink_->flush(); }
bool Log::pending() const { return sink_->pending(); }
int Log::fd() const { return sink_->fd(); }
std::uint64_t Log::dropped() const { return sink_->dropped(); }

LogLine split_level(std::string_view line, LogLevel otherwise) {
  if (line.size() < 3 || line[0] != '<' || line[2] != '>' || line[1] < '0' || line[1] > '7') return {otherwise, line};
  const std::string_view text = line.substr(3);
  if (line[1] <= '3') return {LogLevel::kError, text};
  if (line[1] == '4') return {LogLevel::kWarn, text};
  return {line[1] == '7' ? LogLevel::kDebug : LogLevel::kInfo, text};
}

}  // namespace hooksmtpd::sys
