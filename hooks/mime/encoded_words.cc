#include "hooks/mime/encoded_words.h"

#include <algorithm>
#include <optional>

#include "hooks/mime/body_decoder.h"
#include "hooks/mime/charset.h"
#include "hooks/mime/field_text.h"

namespace hooksmtpd::mime {
namespace {

constexpr std::size_t kLongestCharset = 100;  // with a language (RFC 2231 §5)

struct Word {
  std::string charset;  // lower case
  std::string octets;
  std::size_t length;  // of all of it
};

std::string decode(std::string_view payload, bool base64) {
  std::string text(payload);
  if (!base64) std::ranges::replace(text, '_', ' ');  // RFC 2047 §4.2
  BodyDecoder decoder(base64 ? "base64" : "quoted-printable");
  std::string octets(decoder.step(text));
  return octets += decoder.finish();
}

// That `text`, which begins with "=?", begins with.
std::optional<Word> parse_word(std::string_view text) {
  const std::size_t charset = text.substr(0, kLongestCharset).find('?', 2);
  if (charset == std::string_view::npos || charset == 2 || charset + 2 >= text.size()) return std::nullopt;
  const char encoding = lower_case(text.substr(charset + 1, 1)).front();
  if ((encoding != 'b' && encoding != 'q') || text[charset + 2] != '?') return std::nullopt;
  const std::size_t payload = charset + 3;
  const std::size_t end = text.find("?=", payload);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(2, charset - 2);
  return Word{.charset = lower_case(name.substr(0, name.find('*'))),
              .octets = decode(text.substr(payload, end - payload), encoding == 'b'),
              .length = end + 2};
}

// Words of the same charset one behind the other are decoded together: a character may have been cut in two.
class Run {
 public:
  explicit Run(DecodedText& out) : out_(out) {}

  bool is_open() const { return converter_.has_value(); }
  void add(const Word& word) {
    if (!is_open() || charset_ != word.charset) {
      end();
      charset_ = word.charset;
      converter_.emplace(charset_);
    }
    converter_->step(word.octets, out_.text);
  }
  void end() {
    if (!is_open()) return;
    converter_->finish(out_.text);
    converter_->report(out_.defects);
    converter_.reset();
  }

 private:
  DecodedText& out_;
  std::string charset_;
  std::optional<ToUtf8> converter_;
};

}  // namespace

DecodedText decode_words(std::string_view line) {
  DecodedText out;
  Run run(out);
  const std::size_t last = line.rfind("?=");  // no word ends behind it: do not look for one again and again
  std::size_t done = 0;                       // what stands before it has been dealt with
  for (std::size_t at = line.find("=?"); at < last && last != std::string_view::npos; at = line.find("=?", at)) {
    const auto word = parse_word(line.substr(at, last + 2 - at));
    if (!word) {
      at += 2;
      continue;
    }
    const std::string_view between = line.substr(done, at - done);
    if (!run.is_open() || !trimmed(between).empty()) {  // blanks between two words are none (RFC 2047 §6.2)
      run.end();
      out.text += between;
    }
    run.add(*word);
    done = at += word->length;
  }
  run.end();
  out.text += line.substr(done);
  out.text = valid_utf8(out.text);
  return out;
}

}  // namespace hooksmtpd::mime
