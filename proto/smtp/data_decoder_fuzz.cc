// libFuzzer: any message, cut where the first octet says. The cut must not matter, and stuffing what came out must give
// back what went in.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proto/smtp/data_decoder.h"

using namespace hooksmtpd::smtp;

namespace {

struct Collected final : BodySink {
  void body(std::string_view run) override { text += run; }
  std::string text;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = std::min<std::size_t>(data[0], stream.size());
  Collected whole, pieces;
  DataDecoder at_once, in_two;
  const std::size_t used = at_once.decode(stream, &whole);
  in_two.decode(stream.substr(0, cut), &pieces);
  if (!in_two.finished()) in_two.decode(stream.substr(cut), &pieces);
  if (whole.text != pieces.text || at_once.finished() != in_two.finished() ||
      at_once.bare_line_end() != in_two.bare_line_end() || at_once.long_lines() != in_two.long_lines()) {
    std::abort();
  }
  if (!at_once.finished()) return 0;
  std::string stuffed;
  bool line_start = true;
  for (std::size_t i = 0; i < whole.text.size(); ++i) {
    if (line_start && whole.text[i] == '.') stuffed += '.';
    stuffed += whole.text[i];
    line_start = stuffed.ends_with("\r\n");
  }
  stuffed += ".\r\n";
  // A client may also stuff a line that needs no dot; then what we stuff is shorter.
  if (stuffed.size() > used) std::abort();
  DataDecoder third;
  Collected again;
  third.decode(stuffed, &again);
  if (!third.finished() || again.text != whole.text) std::abort();
  return 0;
}
