#include "tests/proto/smtp/transcript.h"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace hooksmtpd::tests {
namespace {

std::string unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    switch (text.at(++i)) {
      case 'r':
        bytes += '\r';
        break;
      case 'n':
        bytes += '\n';
        break;
      case 't':
        bytes += '\t';
        break;
      case '\\':
        bytes += '\\';
        break;
      case 'x':
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        throw std::invalid_argument("escape");
    }
  }
  return bytes;
}

bool glob(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && pattern.front() == text.front() && glob(pattern.substr(1), text.substr(1));
  }
  for (std::size_t skip = 0; skip <= text.size(); ++skip) {
    if (glob(pattern.substr(1), text.substr(skip))) return true;
  }
  return false;
}

}  // namespace

bool Pattern::matches(std::string_view line) const { return glob ? tests::glob(text, line) : text == line; }

Transcript read_transcript(const std::filesystem::path& file) {
  Transcript transcript;
  std::ifstream in(file, std::ios::binary);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const std::string_view kind = std::string_view(line).substr(0, 2);
    const std::string rest = line.size() > 3 ? line.substr(3) : "";
    const auto fail = [&](const char* why) {
      throw std::runtime_error(fmt::format("{}:{}: {}", file.string(), number, why));
    };
    if (line.empty() || line.starts_with('#')) continue;
    if (kind == "C:") {
      transcript.client += rest + "\r\n";
    } else if (kind == "C|") {
      transcript.client += unescape(rest);
    } else if (kind == "S:" || kind == "S~") {
      transcript.server.push_back({rest, kind == "S~", false});
    } else if (kind == "S*") {
      transcript.server.push_back({rest, false, true});
    } else if (kind == "T:") {
      transcript.handshakes.push_back(transcript.client.size());
    } else if (kind == "H>") {
      transcript.questions.push_back({rest, "", {}});
    } else if (kind == "H<") {
      if (transcript.questions.empty()) fail("an answer without a question");
      transcript.questions.back().answer = rest;
    } else if (kind == "M:" || kind == "M~") {
      if (transcript.questions.empty()) fail("a message without a question");
      transcript.questions.back().message.push_back({rest, kind == "M~", false});
    } else if (kind == "@ ") {
      const std::size_t equals = line.find(" = ");
      if (equals == std::string::npos) fail("a setting is written '@ key = value'");
      transcript.settings[line.substr(2, equals - 2)] = line.substr(equals + 3);
    } else {
      fail("unknown kind of line");
    }
  }
  if (transcript.server.empty()) throw std::runtime_error(file.string() + ": no dialogue");
  return transcript;
}

}  // namespace hooksmtpd::tests
