// The HTML of a message, for the frame in which the page shows it.
//
// What keeps it harmless is the policy, with the sandbox in it: no script, an origin of nobody's, nothing loaded. Two
// things are beyond a policy: Chromium connects to the host of a frame within the frame before it finds that it may not
// load it, and telling somebody that a message was opened is what some messages are for. So elements that could only
// ever load something are taken for unknown ones. Everything else stays as it is, octet for octet: what a message looks
// like is what people come to see.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hooksmtpd::inbox::page {

enum class Remote : std::uint8_t { kBlocked, kPictures };

// Content-Security-Policy of that document.
std::string frame_policy(Remote remote);

// A part that the HTML may name as cid:CONTENT_ID.
struct InlinePart {
  std::string content_id;  // without angle brackets
  std::string url;         // "data:…", or a path of ours: whose requests come as from another site, with
                           // `Sec-Fetch-Site: cross-site`, since the frame is of nobody's origin
};

// `html` is UTF-8. Links lead into windows of their own.
std::string frame_document(std::string_view html, std::span<const InlinePart> parts);

}  // namespace hooksmtpd::inbox::page
