// The web page's files, which are part of the program.
//
// index.html names all others relative to itself, so that the page also works below a path of a reverse proxy. Nothing
// in it is inline: it obeys kPolicy, with which it has to be served.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hooksmtpd::inbox::page {

struct File {
  std::string_view path;  // of its URL: "/", "/page/app.css"
  std::string_view type;  // the media type, with its charset
  std::string_view etag;  // with its quotes; another one whenever the file is another
  std::string_view body;
};

// Content-Security-Policy of the index. No script but ours, no request but to us; and no text can become markup by
// mistake, since the browser refuses innerHTML and its like.
inline constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "
    "'none'";

// All files; the index, "/", is one of them, for its type and for the sum of their sizes.
std::span<const File> files();

// The file of a URL's path, null if there is none. The index is not to be had this way: it takes a token.
const File* find(std::string_view path);
const File* find(std::span<const File> files, std::string_view path);

// index.html for a page that proves with `token` (letters, digits, "-" and "_") that it is ours.
std::string index(std::string_view token);

}  // namespace hooksmtpd::inbox::page
