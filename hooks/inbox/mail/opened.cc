#include "hooks/inbox/mail/opened.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "hooks/inbox/mail/digest.h"
#include "hooks/mime/bodies.h"
#include "hooks/mime/body_decoder.h"
#include "hooks/mime/encoded_words.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/structure.h"

namespace hooksmtpd::inbox {
namespace {

using mime::Node;
using Json = nlohmann::ordered_json;

Json object_of(const mime::Parameters& parameters) {
  Json json = Json::object();
  for (const auto& [name, value] : parameters) json[name] = value;
  return json;
}

Json or_null(const std::optional<std::string>& value) { return value ? Json(*value) : Json(nullptr); }

void walk(const Node& node, const std::function<void(const Node&)>& look) {
  if (!node.content.is_multipart()) look(node);
  for (const auto& part : node.parts) walk(*part, look);
  if (node.message) walk(*node.message, look);
}

// The first that is no attachment, and not within another message.
const Node* first_of(const Node& node, std::string_view type) {
  if (node.content.type == type && !is_attachment(node)) return &node;
  for (const auto& part : node.parts) {
    if (const Node* const found = first_of(*part, type)) return found;
  }
  return nullptr;
}

void collect_defects(const Node& node, std::vector<std::string>& sentences) {
  for (const std::string& sentence : node.defects.sentences()) sentences.push_back(sentence);
  for (const auto& part : node.parts) collect_defects(*part, sentences);
  if (node.message) collect_defects(*node.message, sentences);
}

}  // namespace

Opened::Opened(std::string octets) : octets_(std::move(octets)) {
  const mime::Limits limits{.depth = kMaxDepth, .parts = kMaxParts};
  mime::Budget budget(limits);
  root_ = mime::find_parts(std::string_view(octets_), {.utf8 = true}, budget);
  whole_ = !budget.refusal();
}

void Opened::each(const std::function<void(const Node&)>& look) const { walk(*root_, look); }

const Node* Opened::part(std::string_view number) const {
  const Node* found = nullptr;
  each([&](const Node& node) {
    if (!found && node.number == number) found = &node;
  });
  return found;
}

const Node* Opened::by_content_id(std::string_view id) const {
  const Node* found = nullptr;
  each([&](const Node& node) {
    if (!found && node.content.id == id) found = &node;
  });
  return found;
}

const Node* Opened::body(std::string_view type) const { return first_of(*root_, type); }

std::string Opened::octets(const Node& part) const {
  mime::BodyDecoder decoder(part.message ? "binary" : part.content.encoding);
  std::string decoded;
  // What is read is memory of ours.
  std::ignore = mime::read_range(std::string_view(octets_), part.body, [&](std::string_view body) {
    decoded += decoder.step(body);
    return true;
  });
  decoded += decoder.finish();
  return decoded;
}

std::uint64_t Opened::size(const Node& part) const {
  if (part.message || !mime::encodes(part.content.encoding)) return part.body.size();
  return octets(part).size();
}

std::string Opened::text(const Node& part, std::size_t most) const {
  std::string text;
  read_text(octets_, part, most, text);
  return text;
}

Json headers_of(const Node& node) {
  Json list = Json::array();
  for (std::size_t i = 0; i < node.header.size(); ++i) {
    const mime::Field field = node.header[i];
    list.push_back({mime::valid_utf8(field.name), mime::valid_utf8(field.raw),
                    mime::decode_words(mime::unfolded(field.raw)).text});
  }
  return list;
}

Json Opened::tree() const { return tree(*root_); }

Json Opened::tree(const Node& node) const {
  const mime::Content& content = node.content;
  Json json{{"part", node.number},
            {"headers", headers_of(node)},
            {"type", content.type},
            {"params", object_of(content.params)},
            {"disposition", or_null(content.disposition)},
            {"disposition_params", object_of(content.disposition_params)},
            {"filename", or_null(content.filename)},
            {"encoding", or_null(content.encoding)},
            {"content_id", or_null(content.id)},
            {"description", or_null(content.description)},
            {"defects", node.defects.sentences()}};
  if (content.is_multipart()) {
    json["parts"] = Json::array();
    for (const auto& part : node.parts) json["parts"].push_back(tree(*part));
    return json;
  }
  json["size"] = size(node);
  if (content.is_text()) json["charset"] = mime::charset(content);
  if (node.message) json["message"] = tree(*node.message);
  return json;
}

std::vector<std::string> Opened::defects() const {
  std::vector<std::string> sentences;
  collect_defects(*root_, sentences);
  if (!whole_) sentences.emplace_back("it has more parts, or deeper ones, than are shown: look at its source");
  return sentences;
}

}  // namespace hooksmtpd::inbox
