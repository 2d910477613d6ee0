#include "hooks/mime/tree.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "hooks/mime/charset.h"
#include "hooks/mime/defects.h"
#include "hooks/mime/encoding_check.h"
#include "hooks/mime/gmime_handle.h"
#include "hooks/mime/raw_header.h"

namespace hooksmtpd::mime {
namespace {

using Json = nlohmann::ordered_json;
using Stream = Object<GMimeStream>;

// Thrown from within the walk, caught in make_tree().
struct Refused {
  Refusal why;
};

[[noreturn]] void refuse(std::string text) {
  throw Refused{{.code = 554, .enhanced = "5.6.0", .text = std::move(text)}};
}

[[noreturn]] void fail(int error) {
  if (error == ENOSPC || error == EDQUOT) {
    throw Refused{{.code = 452, .enhanced = "4.3.1", .text = "Insufficient system storage, try again later"}};
  }
  throw Refused{{.code = 451, .enhanced = "4.3.0", .text = "the message could not be taken apart"}};
}

Json or_null(const char* text) { return text == nullptr ? Json() : Json(text); }

Json parameters(GMimeParamList* list) {
  Json params = Json::object();
  const int count = list == nullptr ? 0 : g_mime_param_list_length(list);
  for (int i = 0; i < count; ++i) {
    GMimeParam* const param = g_mime_param_list_get_parameter_at(list, i);
    params[g_mime_param_get_name(param)] = g_mime_param_get_value(param);
  }
  return params;
}

class Walk {
 public:
  Walk(const PartFiles& files, const Limits& limits) : files_(files), limits_(limits) {}

  // `number`: of this part, "" for the outermost; its leaves are "1" then, and its parts "1", "2" and so on.
  Json node(GMimeObject* object, const std::string& number, std::size_t depth) {
    if (depth > limits_.depth) refuse(fmt::format("message has parts nested deeper than {}", limits_.depth));
    if (++parts_ > limits_.parts) refuse(fmt::format("message has more than {} MIME parts", limits_.parts));
    Json node;
    std::vector<std::string> defects;
    describe(node, object);
    if (GMIME_IS_MULTIPART(object)) {
      multipart(node, GMIME_MULTIPART(object), number, depth);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
      message(node, GMIME_MESSAGE_PART(object), number, depth, defects);
    } else if (GMIME_IS_PART(object)) {
      part(node, GMIME_PART(object), leaf_number(number), defects);
    }
    broken_ = broken_ || !defects.empty();
    node["defects"] = std::move(defects);
    return node;
  }

  bool broken() const { return broken_; }

 private:
  static std::string leaf_number(const std::string& number) { return number.empty() ? "1" : number; }
  static std::string below(const std::string& number, int index) {
    return number.empty() ? std::to_string(index) : fmt::format("{}.{}", number, index);
  }

  static void describe(Json& node, GMimeObject* object) {
    node["headers"] = headers_of(object);
    GMimeContentType* const type = g_mime_object_get_content_type(object);
    node["type"] = type == nullptr ? "text/plain" : lower_case(Text(g_mime_content_type_get_mime_type(type)).get());
    node["params"] = parameters(type == nullptr ? nullptr : g_mime_content_type_get_parameters(type));
    GMimeContentDisposition* const disposition = g_mime_object_get_content_disposition(object);
    node["disposition"] =
        disposition == nullptr ? Json() : Json(lower_case(g_mime_content_disposition_get_disposition(disposition)));
    node["disposition_params"] =
        parameters(disposition == nullptr ? nullptr : g_mime_content_disposition_get_parameters(disposition));
    node["filename"] = or_null(GMIME_IS_PART(object) ? g_mime_part_get_filename(GMIME_PART(object)) : nullptr);
    const char* const encoding = g_mime_object_get_header(object, "Content-Transfer-Encoding");
    node["encoding"] = encoding == nullptr ? Json() : Json(lower_case(trimmed(encoding)));
    node["content_id"] = or_null(g_mime_object_get_content_id(object));
    const char* const description =
        GMIME_IS_PART(object) ? g_mime_part_get_content_description(GMIME_PART(object)) : nullptr;
    node["description"] = or_null(description);
    node["defects"] = Json::array();
  }

  void multipart(Json& node, GMimeMultipart* multipart, const std::string& number, std::size_t depth) {
    Json parts = Json::array();
    const int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count; ++i) {
      parts.push_back(this->node(g_mime_multipart_get_part(multipart, i), below(number, i + 1), depth + 1));
    }
    const auto add = [&](const char* key, const char* text) {
      if (text != nullptr && !trimmed(text).empty()) node[key] = text;
    };
    add("preamble", g_mime_multipart_get_prologue(multipart));
    node["parts"] = std::move(parts);
    add("epilogue", g_mime_multipart_get_epilogue(multipart));
  }

  void message(Json& node, GMimeMessagePart* part, const std::string& number, std::size_t depth,
               std::vector<std::string>& defects) {
    const std::string name = leaf_number(number);
    GMimeMessage* const inner = g_mime_message_part_get_message(part);
    write(node, name, [&](GMimeStream* to) {
      return inner == nullptr ? 0 : g_mime_object_write_to_stream(GMIME_OBJECT(inner), nullptr, to);
    });
    if (inner == nullptr) return add_defect(defects, "it has no message in it");
    node["message"] = message_node(inner, name, depth + 1);
  }

 public:
  // A message's own header, and what its body is.
  Json message_node(GMimeMessage* message, const std::string& number, std::size_t depth) {
    GMimeObject* const body = g_mime_message_get_mime_part(message);
    if (body == nullptr) refuse("message has no body that could be read");
    // Its one leaf is the first part below it; parts of a multipart are numbered from it on.
    const bool is_leaf = !GMIME_IS_MULTIPART(body);
    Json node = this->node(body, is_leaf && !number.empty() ? below(number, 1) : number, depth);
    node["headers"] = headers_of(message, body);
    return node;
  }

 private:
  void part(Json& node, GMimePart* part, const std::string& name, std::vector<std::string>& defects) {
    GMimeDataWrapper* const content = g_mime_part_get_content(part);
    write(node, name,
          [&](GMimeStream* to) { return content == nullptr ? 0 : g_mime_data_wrapper_write_to_stream(content, to); });
    if (content != nullptr) {
      if (auto wrong = check_encoding(content)) add_defect(defects, *std::move(wrong));
    }
    const Json& encoding = node["encoding"];
    if (encoding.is_string() && g_mime_part_get_content_encoding(part) == GMIME_CONTENT_ENCODING_DEFAULT) {
      add_defect(defects, fmt::format("nobody knows the encoding \"{}\": the file is as it came",
                                      encoding.get_ref<const std::string&>()));
    }
    if (node["type"].get_ref<const std::string&>().starts_with("text/")) text(node, part, defects);
  }

  static void text(Json& node, GMimePart* part, std::vector<std::string>& defects) {
    const char* const given = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    const std::string charset = lower_case(given == nullptr ? "" : given);
    node["charset"] = charset.empty() ? "us-ascii" : charset;
    if (node["size"].get<std::uint64_t>() > kMaxText) return;
    const Stream memory(g_mime_stream_mem_new());
    if (GMimeDataWrapper* const content = g_mime_part_get_content(part)) {
      g_mime_data_wrapper_write_to_stream(content, memory.get());
    }
    const GByteArray* const octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
    const Decoded decoded = to_utf8({reinterpret_cast<const char*>(octets->data), octets->len}, charset);
    if (!decoded.known) add_defect(defects, fmt::format("unknown charset \"{}\"", charset));
    if (!decoded.faithful) {
      add_defect(defects, fmt::format("the text has octets that are not {}", charset.empty() ? "us-ascii" : charset));
    }
    node["text"] = decoded.text;
  }

  // Puts what `produce` writes into a file of that name.
  template <class Produce>
  void write(Json& node, const std::string& name, Produce produce) {
    const auto file = files_.create(name);
    if (!file) fail(file.error());
    const Stream stream(g_mime_stream_fs_new(*file));  // it closes the file
    errno = 0;
    const bool written = produce(stream.get()) >= 0 && g_mime_stream_flush(stream.get()) == 0;
    if (!written) fail(errno);
    const auto size = static_cast<std::uint64_t>(g_mime_stream_tell(stream.get()));
    octets_ += size;
    if (octets_ > limits_.size) refuse(fmt::format("message has more than {} octets of parts", limits_.size));
    node["size"] = size;
    node["path"] = files_.path(name);
  }

  const PartFiles& files_;
  const Limits& limits_;
  std::size_t parts_ = 0;
  std::uint64_t octets_ = 0;
  bool broken_ = false;
};

}  // namespace

std::expected<Json, Refusal> make_tree(int file, const PartFiles& files, const Limits& limits) {
  const Stream stream(g_mime_stream_fs_new(file));
  const Object<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  std::vector<std::string> defects;
  const Options options = reporting_to(defects);
  const Object<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), options.get()));
  if (!message) return std::unexpected(Refusal{.code = 554, .enhanced = "5.6.0", .text = "message cannot be read"});
  try {
    Walk walk(files, limits);
    Json tree = walk.message_node(message.get(), "", 1);
    // What GMime said of the whole comes before what was found of its outermost part.
    for (const Json& own : tree["defects"]) add_defect(defects, own.get<std::string>());
    tree["broken"] = walk.broken() || !defects.empty();
    tree["defects"] = std::move(defects);
    return tree;
  } catch (const Refused& refused) {
    return std::unexpected(refused.why);
  }
}

}  // namespace hooksmtpd::mime
