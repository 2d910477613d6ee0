#include "daemon/launcher/log_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace hooksmtpd::launcher {
namespace {

constexpr std::size_t kMaxLine = 8 * 1024;
constexpr int kReadsPerTurn = 4;  // of 16 KiB
constexpr int kReadsAtEnd = 64;   // a pipe holds 1 MiB at most

}  // namespace

LogPipe::LogPipe(Loop& loop, sys::Log& log)
    : log_(log), watch_(loop, [this](short) {
        for (int i = 0; i < kReadsPerTurn && read_some(); ++i) {
        }
      }) {}

void LogPipe::open(sys::Fd pipe) {
  close();
  pipe_ = std::move(pipe);
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  watch_.start(pipe_.get(), POLLIN);
}

void LogPipe::close() {
  for (int i = 0; i < kReadsAtEnd && read_some(); ++i) {
  }
  if (!line_.empty()) end_line();
  watch_.stop();
  pipe_.reset();
}

bool LogPipe::read_some() {
  if (!pipe_.valid()) return false;
  std::array<char, 16 * 1024> piece;
  const ssize_t got = ::read(pipe_.get(), piece.data(), piece.size());
  if (got > 0) {
    take({piece.data(), static_cast<std::size_t>(got)});
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  watch_.stop();  // the end; an error is one too
  pipe_.reset();
  return false;
}

void LogPipe::take(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    const std::size_t room = kMaxLine - line_.size();
    cut_ = cut_ || part.size() > room;
    line_.append(part.substr(0, room));
    if (end == std::string_view::npos) return;
    end_line();
    piece.remove_prefix(end + 1);
  }
}

void LogPipe::end_line() {
  if (cut_) line_ += " (cut)";
  const sys::LogLine plain = sys::split_level(line_, sys::LogLevel::kError);
  if (plain.text.size() == line_.size()) {
    log_.error("worker printed {}", sys::quoted(line_));
  } else {
    const sys::AboutLine line = sys::split_about(plain.text);
    log_.write(plain.level, line.text, line.about);
  }
  line_.clear();
  cut_ = false;
}

}  // namespace hooksmtpd::launcher
