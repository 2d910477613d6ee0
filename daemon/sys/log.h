// The log: one event, one line, `key=value`, first word fixed and greppable.
//
//   log.info("rcpt id={} to={} verdict=reject code=550", session, quoted(address));
//
// Only the supervisor has the real standard error; the worker's lines reach it as "<N>text\n" through a pipe, with what
// they are about before the text. Neither
// log ever blocks: what cannot be written at once is kept up to a bound, the rest is dropped, counted, and a later line
// says how many.

#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/config.h"
#include "daemon/sys/about.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {

using config::LogLevel;

// Text from outside, safe to stand in a log line and on a terminal: in double quotes; control bytes, quotes,
// backslashes and what is not UTF-8 escaped as \n, \", \\, \x1b; cut at 256 octets ("..." after the closing quote).
std::string quoted(std::string_view text);
// Without these, std::quoted would be found for a std::string, and no compiler would say so.
inline std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(const char* text) { return quoted(std::string_view(text)); }

// A line with an optional "<N>" before it, N a level of syslog(3).
struct LogLine {
  LogLevel level;
  std::string_view text;
};
// <0>..<3>: kError; <4>: kWarn; <5>, <6>: kInfo; <7>: kDebug. No such prefix: `otherwise`, and the whole line.
LogLine split_level(std::string_view line, LogLevel otherwise = LogLevel::kInfo);

class Log {
 public:
  // The worker's: lines "<N>text" to a pipe, gathered until 4 KiB are there or somebody calls flush().
  static Log to_pipe(Fd pipe);
  // The supervisor's: to standard error (a copy of fd 2 is taken), gathered in the same way. "<N>text" under systemd
  // (JOURNAL_STREAM); short time and colours on a terminal; else with the date and the level.
  static Log to_stderr();
  // The supervisor's where the journal listens (daemon/sys/journal.h): a record a line, with fields.
  static Log to_journal(Fd socket);

  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  ~Log();  // flushes

  void set_level(LogLevel level) { level_ = level; }
  bool enabled(LogLevel level) const { return level >= level_; }

  template <class... T>
  void error(fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kError, {}, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void error(const About& about, fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kError, about, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void warn(fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kWarn, {}, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void warn(const About& about, fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kWarn, about, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void info(fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kInfo, {}, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void info(const About& about, fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kInfo, about, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void debug(fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kDebug, {}, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void debug(const About& about, fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kDebug, about, format, std::forward<T>(arguments)...);
  }
  template <class... T>
  void trace(fmt::format_string<T...> format, T&&... arguments) {
    print(LogLevel::kTrace, {}, format, std::forward<T>(arguments)...);
  }

  // One line (or several: '\n' begins a new one). Control bytes in it are shown as '?'.
  void write(LogLevel level, std::string_view text, const About& about = {});

  // Writes what the other end takes now.
  void flush();
  // Something is left to write: call flush() again soon, or when fd() becomes writable.
  bool pending() const;
  int fd() const;
  // Lines lost so far.
  std::uint64_t dropped() const;

 private:
  struct Sink;
  struct LineSink;
  struct JournalSink;
  explicit Log(std::unique_ptr<Sink> sink);

  template <class... T>
  void print(LogLevel level, const About& about, fmt::format_string<T...> format, T&&... arguments) {
    if (!enabled(level)) return;
    fmt::memory_buffer text;
    fmt::format_to(std::back_inserter(text), format, std::forward<T>(arguments)...);
    write(level, {text.data(), text.size()}, about);
  }

  LogLevel level_ = LogLevel::kInfo;
  std::unique_ptr<Sink> sink_;
};

}  // namespace hooksmtpd::sys
