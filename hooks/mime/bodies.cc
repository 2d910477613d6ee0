#include "hooks/mime/bodies.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "hooks/mime/body_decoder.h"
#include "hooks/mime/charset.h"
#include "hooks/mime/structure.h"

namespace hooksmtpd::mime {
namespace {

constexpr std::size_t kBlock = 64 * 1024;

// Of a text, nullopt of anything else.
std::optional<std::string> charset_of(const Content& content) {
  if (!content.is_text()) return std::nullopt;
  return charset(content);
}

}  // namespace

std::expected<void, int> read_range(const Source& message, Range range,
                                    const std::function<bool(std::string_view)>& take) {
  if (const auto& octets = message.octets()) {
    if (range.end > octets->size()) return std::unexpected(EIO);
    std::string_view left =
        octets->substr(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size()));
    for (; !left.empty() && take(left.substr(0, kBlock)); left.remove_prefix(std::min(left.size(), kBlock))) {
    }
    return {};
  }
  std::vector<char> block(static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, range.size())));
  while (range.begin < range.end) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), range.size()));
    const ssize_t got = message.read(block.data(), wanted, range.begin);
    if (got < 0) return std::unexpected(errno);
    if (got == 0) return std::unexpected(EIO);  // somebody has cut it
    if (!take({block.data(), static_cast<std::size_t>(got)})) return {};
    range.begin += static_cast<std::uint64_t>(got);
  }
  return {};
}

void Bodies::write(const Source& from, Node& node, std::size_t depth, bool utf8) {
  if (budget_.refusal()) return;
  if (node.content.is_multipart()) {
    for (const auto& part : node.parts) write(from, *part, depth + 1, utf8);
    return;
  }
  const auto file = files_.create(node.number);
  if (!file) return budget_.refuse(cannot(file.error()));
  write_file(from, node, *file);
  if (!node.content.is_message() || budget_.refusal()) return;

  const bool inner_utf8 = utf8 || node.content.type == "message/global";
  if (node.message) {
    write(from, *node.message, depth + 1, inner_utf8);
  } else if (node.size == 0) {
    node.defects.add("there is no message in it");
  } else {
    if (node.content.type == "message/rfc822") node.defects.add("message/rfc822 must not be encoded (RFC 2046 §5.2.1)");
    node.message = find_parts(file->get(), {.number = node.number, .depth = depth, .utf8 = inner_utf8}, budget_);
    write(file->get(), *node.message, depth + 1, inner_utf8);
  }
}

void Bodies::write_file(const Source& from, Node& node, const File& to) {
  // A message that was not encoded is what its own parts say of it.
  BodyDecoder decoder(node.message ? "binary" : node.content.encoding);
  std::optional<ToUtf8> text;
  if (const auto charset = charset_of(node.content)) text.emplace(*charset);
  std::string utf8;  // is looked at for what is wrong with it, and forgotten
  const auto put = [&](std::string_view octets) {
    budget_.file(octets.size());
    if (budget_.refusal()) return false;
    node.size += octets.size();
    if (text) text->step(octets, utf8);
    utf8.clear();
    if (const auto written = write_all(to, octets); !written) budget_.refuse(cannot(written.error()));
    return !budget_.refusal();
  };
  const auto read = read_range(from, node.body, [&](std::string_view body) { return put(decoder.step(body)); });
  if (!read) budget_.refuse(cannot(read.error()));
  if (budget_.refusal() || !put(decoder.finish())) return;
  decoder.report(node.defects);
  if (!text) return;
  text->finish(utf8);
  text->report(node.defects);
}

}  // namespace hooksmtpd::mime
