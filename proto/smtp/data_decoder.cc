#include "proto/smtp/data_decoder.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "proto/smtp/limits.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hooksmtpd::smtp {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::int64_t kBlockBits = kBlock;

// Where in 64 octets the interesting ones stand; bit 0 is the first.
struct Masks {
  std::uint64_t cr = 0, lf = 0, dot = 0, high = 0;
};

#ifdef __SSE2__

Masks masks_of(const char* block) {
  Masks masks;
  for (std::size_t i = 0; i < kBlock; i += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + i));
    const auto where = [octets](char c) {
      return std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(c))))};
    };
    masks.cr |= where('\r') << i;
    masks.lf |= where('\n') << i;
    masks.dot |= where('.') << i;
    masks.high |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(octets))} << i;
  }
  return masks;
}

#else

Masks masks_of(const char* block) {
  Masks masks;
  for (std::size_t i = 0; i < kBlock; ++i) {
    masks.cr |= std::uint64_t{block[i] == '\r'} << i;
    masks.lf |= std::uint64_t{block[i] == '\n'} << i;
    masks.dot |= std::uint64_t{block[i] == '.'} << i;
    masks.high |= std::uint64_t{(block[i] & 0x80) != 0} << i;
  }
  return masks;
}

#endif

constexpr std::uint64_t first_bits(std::size_t count) {
  return count >= kBlock ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

}  // namespace

void DataDecoder::pass(std::string_view run, BodySink* sink) {
  size_ += run.size();
  if (sink) sink->body(run);
}

// Text up to the next dot at the start of a line if they matter, or up to the end of the bytes. Gives its length.
std::size_t DataDecoder::scan(std::string_view bytes, Dots dots_are) {
  const std::uint64_t may_stop = dots_are == Dots::kMatter ? ~std::uint64_t{0} : 0;
  std::uint64_t after_cr = state_ == State::kCr;
  std::uint64_t after_crlf = state_ == State::kLineStart;
  // Positions count from the start of `bytes`; the current line may have begun before it.
  auto line_start = -static_cast<std::int64_t>(line_);
  std::size_t end = 0;
  bool dot_found = false;
  while (end < bytes.size() && !dot_found) {
    const std::size_t begin = end;
    std::size_t length = bytes.size() - begin;
    Masks masks;
    if (length >= kBlock) {
      length = kBlock;
      masks = masks_of(bytes.data() + begin);
    } else {
      std::array<char, kBlock> padded{};
      std::memcpy(padded.data(), bytes.data() + begin, length);
      masks = masks_of(padded.data());
    }
    const std::uint64_t lf_due = masks.cr << 1 | after_cr;
    const std::uint64_t crlf = masks.lf & lf_due;
    if (const std::uint64_t dots = masks.dot & (crlf << 1 | after_crlf) & may_stop; dots != 0) {
      length = static_cast<std::size_t>(std::countr_zero(dots));
      dot_found = true;
    }
    const std::uint64_t ours = first_bits(length);
    bare_ |= ((masks.lf ^ lf_due) & ours) != 0;
    high_ |= (masks.high & ours) != 0;
    if (const std::uint64_t ends = masks.lf & ours; ends != 0) {
      // Only the first line to end in a block can be a long one: the others lie within it.
      const auto first = static_cast<std::int64_t>(begin) + std::countr_zero(ends) + 1;
      long_lines_ += static_cast<std::uint64_t>(first - line_start) > kMaxTextLine;
      line_start = static_cast<std::int64_t>(begin) + kBlockBits - std::countl_zero(ends);
    }
    if (length > 0) {
      after_cr = masks.cr >> (length - 1) & 1;
      after_crlf = crlf >> (length - 1) & 1;
    }
    end = begin + length;
  }
  line_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(end) - line_start);
  state_ = after_cr ? State::kCr : after_crlf ? State::kLineStart : State::kText;
  return end;
}

void DataDecoder::take(std::string_view bytes, BodySink* sink) {
  assert(!finished());
  if (bytes.empty()) return;
  scan(bytes, Dots::kText);
  pass(bytes, sink);
}

void DataDecoder::finish() {
  bare_ |= state_ == State::kCr;
  long_lines_ += line_ > kMaxTextLine;
  state_ = State::kFinished;
}

std::size_t DataDecoder::decode(std::string_view bytes, BodySink* sink) {
  assert(!finished());
  std::size_t at = 0;
  while (at < bytes.size()) {
    switch (state_) {
      case State::kLineStart:
      case State::kText:
      case State::kCr:
        if (state_ == State::kLineStart && bytes[at] == '.') {
          state_ = State::kDot;
          ++at;
        } else {
          const std::size_t length = scan(bytes.substr(at), Dots::kMatter);
          pass(bytes.substr(at, length), sink);
          at += length;
        }
        break;
      case State::kDot:
        if (bytes[at] == '\r') {
          state_ = State::kDotCr;
          ++at;
        } else {
          state_ = State::kText;  // the dot was stuffed (§4.5.2)
        }
        break;
      case State::kDotCr:
        if (bytes[at] == '\n') {
          state_ = State::kFinished;
          return at + 1;
        }
        pass("\r", sink);
        ++line_;
        bare_ = true;
        state_ = State::kText;
        break;
      case State::kFinished:
        return at;
    }
  }
  return at;
}

}  // namespace hooksmtpd::smtp
