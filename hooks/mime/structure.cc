#include "hooks/mime/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hooks/mime/body_decoder.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/line_reader.h"

namespace hooksmtpd::mime {
namespace {

std::string below(std::string_view number, std::size_t index) {
  return number.empty() ? fmt::format("{}", index) : fmt::format("{}.{}", number, index);
}

class Scanner {
 public:
  Scanner(const Source& source, Budget& budget) : reader_(source), budget_(budget) {}

  // `number`: of what the message is in.
  std::unique_ptr<Node> message(std::string_view number, std::size_t depth, bool utf8) {
    auto node = std::make_unique<Node>();
    const bool has_body = begin(*node, "text/plain", depth, utf8);
    node->number = node->content.is_multipart() ? std::string(number) : below(number, 1);
    body(*node, has_body, depth, utf8);
    return node;
  }

  int error() const { return reader_.error(); }

 private:
  static constexpr std::size_t kEndOfFile = SIZE_MAX;

  // What ended a body: a boundary line of the multipart boundaries_[level], or the end of the file.
  struct Stop {
    std::size_t level = kEndOfFile;
    bool closes = false;
    std::uint64_t body_end = 0;  // where what it ended ends
  };

  void part(Node& parent, std::string_view default_type, std::size_t depth, bool utf8) {
    auto node = std::make_unique<Node>();
    node->number = below(parent.number, parent.parts.size() + 1);
    const bool has_body = begin(*node, default_type, depth, utf8);
    body(*node, has_body, depth, utf8);
    parent.parts.push_back(std::move(node));
  }

  // Reads the header. False: there is no body, and stop_ says why.
  bool begin(Node& node, std::string_view default_type, std::size_t depth, bool utf8) {
    count(depth);
    const bool has_body = header(node);
    node.header.check(utf8, node.defects);
    node.content = read_content(node.header, default_type, node.defects);
    if (!has_body) node.body = {.begin = stop_.body_end, .end = stop_.body_end};
    return has_body;
  }

  void body(Node& node, bool has_body, std::size_t depth, bool utf8) {
    if (node.number.size() > NAME_MAX) {  // it is the name of a file
      budget_.refuse({.code = 554, .enhanced = "5.6.0", .text = "message has MIME parts with too long a number"});
      return reader_.stop();
    }
    const bool is_encoded = encodes(node.content.encoding);
    if (node.content.is_multipart()) {
      if (is_encoded) {
        node.defects.add(fmt::format("a multipart cannot be encoded as {} (RFC 2045 §6.4)", *node.content.encoding));
      }
      multipart(node, has_body, depth, utf8);
    } else if (has_body && node.content.is_message() && !is_encoded) {
      node.body.begin = reader_.offset();
      node.message = message(node.number, depth + 1, utf8 || node.content.type == "message/global");
      node.body.end = std::max(node.body.begin, stop_.body_end);
    } else if (has_body) {
      node.body = to_boundary();
    }
  }

  void multipart(Node& node, bool has_body, std::size_t depth, bool utf8) {
    const std::string* given = find(node.content.params, "boundary");
    const std::string boundary = given == nullptr ? "" : std::string(trimmed(*given));
    if (boundary.empty()) {
      node.defects.add("a multipart without a boundary: its body is taken for its one part");
      if (has_body) whole_body(node, to_boundary(), depth);
      return;
    }
    std::string line = "--" + boundary;
    if (std::ranges::find(boundaries_, line) != boundaries_.end()) {
      node.defects.add(fmt::format("boundary {} is that of a part around this one, too", in_quotes(boundary)));
    }
    const std::size_t level = boundaries_.size();
    boundaries_.push_back(std::move(line));
    const bool is_digest = node.content.type == "multipart/digest";  // RFC 2046 §5.1.5
    const auto stopped_here = [&] { return has_body && stop_.level == level; };

    if (has_body) node.preamble = to_boundary();
    while (stopped_here() && !stop_.closes) part(node, is_digest ? "message/rfc822" : "text/plain", depth + 1, utf8);
    boundaries_.resize(level);
    if (stopped_here()) {
      node.epilogue = to_boundary();
    } else if (node.parts.empty()) {
      node.defects.add(fmt::format("no part begins with the boundary {}", in_quotes(boundary)));
      whole_body(node, std::exchange(node.preamble, {}), depth);
    } else {
      node.defects.add(fmt::format("boundary {} is never closed", in_quotes(boundary)));
    }
    check_around(node, node.preamble, "preamble");
    check_around(node, node.epilogue, "epilogue");
  }

  // Nobody shall miss what is in a multipart that is none.
  void whole_body(Node& node, Range body, std::size_t depth) {
    if (body.size() == 0) return;
    count(depth + 1);
    auto only = std::make_unique<Node>();
    only->number = below(node.number, 1);
    only->content.type = "text/plain";
    only->body = body;
    node.parts.push_back(std::move(only));
  }

  static void check_around(Node& node, const Range& range, std::string_view what) {
    if (range.size() <= kMaxAround) return;
    node.defects.add(fmt::format("of its {} the first {} octets are shown", what, kMaxAround));
  }

  // To the next boundary line; without the line end before that.
  Range to_boundary() {
    const std::uint64_t begin = reader_.offset();
    std::uint64_t end = begin;
    while (true) {
      const Piece piece = reader_.next();
      if (piece.text.empty()) {
        stop_ = {.level = kEndOfFile, .closes = false, .body_end = piece.begin};
        break;
      }
      if (piece.starts_line && is_boundary(piece.text)) {
        stop_.body_end = end;
        break;
      }
      end = piece.begin + without_line_end(piece.text).size();
    }
    return {.begin = begin, .end = std::max(begin, stop_.body_end)};
  }

  // True: the body begins at the reader's place.
  bool header(Node& node) {
    struct Junk {
      std::uint64_t begin;
      std::string sentence;
    };
    std::optional<Junk> junk;  // a line that is no field; the next one shows whether the body has begun with it
    const auto body_begins_at = [&](std::uint64_t offset) {
      node.defects.add("no blank line between header and body");
      reader_.seek(offset);
      return true;
    };
    std::uint64_t end = reader_.offset();
    while (true) {
      const std::uint64_t begin = reader_.offset();
      const std::string_view line = header_line();
      if (line.empty() || is_boundary(line)) {
        if (line.empty()) stop_ = {};
        stop_.body_end = end;
        return junk && body_begins_at(junk->begin);
      }
      end = begin + without_line_end(line).size();
      const LineKind kind = kind_of(line);
      const bool continues = kind == LineKind::kContinuation;
      if (kind == LineKind::kBlank || kind == LineKind::kField) {
        if (junk) node.defects.add(std::move(junk->sentence));
        junk.reset();
        if (kind == LineKind::kBlank) return true;
        node.header.add_field(line);
      } else if (continues && !junk && !node.header.empty()) {
        node.header.add_continuation(line);
      } else if (junk && !continues) {
        return body_begins_at(junk->begin);
      } else if (line.starts_with("--")) {
        return body_begins_at(begin);
      } else if (!junk) {
        junk = {begin, fmt::format("header line {}: {}", what_is_wrong(kind), in_quotes(without_line_end(line)))};
      }
    }
  }

  static std::string_view what_is_wrong(LineKind kind) {
    if (kind == LineKind::kContinuation) return "that continues none";
    return kind == LineKind::kNoColon ? "without a colon" : "with a bad name";
  }

  // A whole line, however long the header may be; empty: there is nothing more.
  std::string_view header_line() {
    Piece piece = reader_.next();
    charge(piece.text.size());
    if (piece.text.empty() || piece.ends_line()) return piece.text;
    long_line_.assign(piece.text);
    while (!piece.text.empty() && !piece.ends_line() && !budget_.refusal()) {
      piece = reader_.next();
      charge(piece.text.size());
      long_line_.append(piece.text);
    }
    return budget_.refusal() ? std::string_view() : long_line_;
  }

  // The innermost multipart that `line` is a boundary line of goes into stop_.
  bool is_boundary(std::string_view line) {
    if (!line.starts_with("--") || boundaries_.empty()) return false;
    const std::string_view text = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);  // transport padding
    for (std::size_t level = boundaries_.size(); level-- > 0;) {
      if (!text.starts_with(boundaries_[level])) continue;
      const std::string_view rest = text.substr(boundaries_[level].size());
      if (!rest.empty() && rest != "--") continue;
      stop_ = {.level = level, .closes = !rest.empty(), .body_end = 0};
      return true;
    }
    return false;
  }

  void count(std::size_t depth) {
    budget_.part(depth);
    if (budget_.refusal()) reader_.stop();
  }

  void charge(std::size_t octets) {
    budget_.header(octets);
    if (budget_.refusal()) reader_.stop();
  }

  LineReader reader_;
  Budget& budget_;
  std::vector<std::string> boundaries_;  // with "--" before them, of the multiparts that are open, outermost first
  Stop stop_;
  std::string long_line_;
};

}  // namespace

std::unique_ptr<Node> find_parts(const Source& message, const Place& place, Budget& budget) {
  Scanner scanner(message, budget);
  auto node = scanner.message(place.number, place.depth + 1, place.utf8);
  if (scanner.error() != 0) budget.refuse(cannot(scanner.error()));
  return node;
}

}  // namespace hooksmtpd::mime
