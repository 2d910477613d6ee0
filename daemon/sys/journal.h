// The journal's native protocol (systemd's "Native Journal Protocol"): a datagram a line, made of fields.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/sys/about.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {

// systemd names the journal's stream ($JOURNAL_STREAM) so that a program can tell whether `fd` still is that stream.
bool is_journal(int fd);

// A datagram socket connected to journald; invalid where it does not listen. Its name is not seen from a small root:
// connect before.
Fd connect_journal();

// `text` is one line without control bytes; `priority` one of syslog(3).
std::string journal_record(int priority, std::string_view text, const About& about);

// Sends records without ever blocking, as LineWriter does with lines: what journald does not take now is kept up to
// `bound` octets; what does not fit is dropped and counted.
class JournalWriter {
 public:
  JournalWriter(Fd socket, std::size_t bound) : socket_(std::move(socket)), bound_(bound) {}

  void add(std::string record);
  void flush();

  bool pending() const { return !waiting_.empty(); }
  bool has_room_for(std::size_t octets) const { return octets_ + octets <= bound_; }
  int fd() const { return socket_.get(); }
  std::uint64_t dropped() const { return dropped_; }
  // Records dropped since the last call.
  std::uint64_t take_dropped() { return dropped_ - std::exchange(told_, dropped_); }

 private:
  Fd socket_;
  std::size_t bound_;
  std::deque<std::string> waiting_;
  std::size_t octets_ = 0;  // of `waiting_`
  std::uint64_t dropped_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace hooksmtpd::sys
