// The message after DATA: where it ends, and what it was before dot-stuffing (RFC 5321 §4.1.1.4, §4.5.2). Also one that
// comes in BDAT chunks, whose sizes say where it ends (RFC 3030 §2).
//
// Bodies are searched, not stepped through: 64 octets at a time become bit masks, and whole runs go to the sink.
// Only CRLF "." CRLF ends a message. A CR or LF alone never does, is passed on as it came, and is remembered: such a
// message has to be refused, since another server may see an end of data where we do not (SMTP smuggling,
// CVE-2023-51764 and its kin).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hooksmtpd::smtp {

// Takes a message in runs; in order they make it up.
class BodySink {
 public:
  virtual void body(std::string_view run) = 0;

 protected:
  ~BodySink() = default;
};

class DataDecoder {
 public:
  // Takes bytes of the client and gives how many of them belong to the message, its end mark included: fewer than
  // there are only when finished(). Without a sink the message is only measured.
  std::size_t decode(std::string_view bytes, BodySink* sink);

  // For a message in chunks, instead of decode(): all of the bytes belong to it, and no dot means anything.
  void take(std::string_view bytes, BodySink* sink);
  // And that was the last of them.
  void finish();

  bool finished() const { return state_ == State::kFinished; }
  std::uint64_t size() const { return size_; }              // octets of message so far, stuffed dots not counted
  std::uint64_t long_lines() const { return long_lines_; }  // lines over kMaxTextLine octets, their CRLF included
  bool bare_line_end() const { return bare_; }              // a CR without LF or an LF without CR (§2.3.8)
  bool eight_bit() const { return high_; }                  // an octet above 127

 private:
  // What stands directly before the next octet, as far as it matters.
  enum class State : std::uint8_t {
    kText,
    kCr,
    kLineStart,  // CRLF. The one of the DATA command counts, or an empty message would never end.
    kDot,        // a dot at the start of a line, not passed on: it is stuffed, or the end
    kDotCr,      // and a CR behind it, not passed on either
    kFinished,
  };

  // Whether a dot at the start of a line is looked for.
  enum class Dots : std::uint8_t { kMatter, kText };

  std::size_t scan(std::string_view bytes, Dots dots);
  void pass(std::string_view run, BodySink* sink);

  std::uint64_t size_ = 0;
  std::uint64_t line_ = 0;  // octets of the line so far
  std::uint64_t long_lines_ = 0;
  State state_ = State::kLineStart;
  bool bare_ = false;
  bool high_ = false;
};

}  // namespace hooksmtpd::smtp
