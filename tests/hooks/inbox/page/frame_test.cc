#include "hooks/inbox/page/frame.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace hooksmtpd::inbox::page;

namespace {

const std::vector<InlinePart> kParts{{.content_id = "logo", .url = "[logo]"},
                                     {.content_id = "logo@a.test", .url = "[longer]"},
                                     {.content_id = "a&b c", .url = "[odd]"}};

// Without what is put into every document.
std::string framed(std::string_view html) {
  const std::string_view own = R"(<base target="_blank">)";
  std::string text = frame_document(html, kParts);
  return text.erase(text.find(own), own.size());
}

}  // namespace

TEST_CASE("what could only load something is an unknown element") {
  const std::vector<std::pair<const char*, const char*>> cases{
      {R"(<iframe src="https://evil.test/">x</iframe>)", R"(<x-iframe src="https://evil.test/">x</x-iframe>)"},
      {"<IFRAME/src=x>", "<x-IFRAME/src=x>"},
      {"<frameset><frame src=x></frameset>", "<x-frameset><x-frame src=x></x-frameset>"},
      {"<object\n", "<x-object\n"},
      {"<embed", "<x-embed"},
      {"<<link rel=x>", "<<x-link rel=x>"},
      {"<META http-equiv=refresh>", "<x-META http-equiv=refresh>"},
      {"<base href=x>", "<x-base href=x>"},
  };
  for (const auto& [html, expected] : cases) CHECK(framed(html) == expected);
}

TEST_CASE("everything else stays as it is") {
  for (const char* html :
       {"", "<", "</", "<b", "<basefont>", "<frames>", "< iframe", "&lt;iframe>", "<p class=iframe>c</p>",
        "<style>a{color:red}</style>", "cid", "cid:", "cid:other", "acid: c C <!-- c -->", "\xff\xfe<"}) {
    CHECK(framed(html) == html);
  }
}

TEST_CASE("parts are found by their Content-ID, however it is spelled (RFC 2392 §2)") {
  CHECK(framed(R"(<img src="cid:logo">)") == R"(<img src="[logo]">)");
  CHECK(framed(R"(<img src="CID:logo@a.test">)") == R"(<img src="[longer]">)");
  CHECK(framed("url(cid:logo%40a.test)") == "url([longer])");
  CHECK(framed("cid:a&amp;b%20c cid:a&b%20c") == "[odd] [odd]");
  CHECK(framed("cid:log cid:%6cogo cid:%zzogo") == "cid:log [logo] cid:%zzogo");
}

TEST_CASE("links lead into windows of their own, and the mode of the document stays") {
  const std::string own = R"(<base target="_blank">)";
  CHECK(frame_document("<p>x", {}) == own + "<p>x");
  CHECK(frame_document("<!DOCTYPE html><html lang=en>\n<head><title>", {}) ==
        "<!DOCTYPE html><html lang=en>\n<head>" + own + "<title>");
  CHECK(frame_document("\xef\xbb\xbf <!doctype html><header>", {}) ==
        "\xef\xbb\xbf <!doctype html>" + own + "<header>");
  CHECK(frame_document("", {}) == own);
}

TEST_CASE("the policy runs no script, and loads pictures only when asked") {
  CHECK(frame_policy(Remote::kBlocked).starts_with("sandbox"));
  CHECK(!frame_policy(Remote::kBlocked).contains("allow-scripts"));
  CHECK(!frame_policy(Remote::kBlocked).contains("allow-same-origin"));
  CHECK(!frame_policy(Remote::kBlocked).contains("http"));
  CHECK(frame_policy(Remote::kPictures) == frame_policy(Remote::kBlocked) + " https: http:");
}
