#include "hooks/inbox/page/page.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

using namespace hooksmtpd::inbox;

namespace {

const std::filesystem::path kFolder = HOOKSMTPD_PAGE_FOLDER;

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator(stream), {}};
}

}  // namespace

TEST_CASE("every file of the page is in the program, octet for octet") {
  std::set<std::string> missing;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    const std::set<std::string> kinds{".css", ".js", ".svg"};
    if (!kinds.contains(entry.path().extension())) continue;
    const page::File* file = page::find("/page/" + name);
    if (file == nullptr || file->body != read(entry.path())) missing.insert(name);
  }
  CHECK(missing == std::set<std::string>{});
  CHECK(page::files().size() > 2);
}

TEST_CASE("the index has the token where it was left out") {
  std::string expected = read(kFolder / "index.html");
  expected.replace(expected.find("@TOKEN@"), 7, "a-Z_9");
  CHECK(page::index("a-Z_9") == expected);
  CHECK(page::find("/") == nullptr);
}

TEST_CASE("what is not there is not found") {
  for (const char* path : {"", "/page", "/page/", "/page/index.html", "/page/page.h", "/page/../page/app.css"}) {
    CHECK(page::find(path) == nullptr);
  }
}

TEST_CASE("the page has at most 150 KiB") {
  std::size_t octets = 0;
  for (const page::File& file : page::files()) octets += file.body.size();
  CHECK(octets <= 150 * 1024);
}

TEST_CASE("nothing of the page is inline, nor elsewhere") {
  const std::string index = page::index("t");
  CHECK(!std::regex_search(index, std::regex(R"(<style| style=| on[a-z]+=|<script(?![^>]* src=))")));
  for (const page::File& file : page::files()) {
    INFO(file.path);
    CHECK(!std::regex_search(std::string(file.body),
                             std::regex(R"((src|href)="(https?:)?//|url\(["']?(https?:)?//|@import)")));
    CHECK(!std::regex_search(std::string(file.body),
                             std::regex(R"(innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\()")));
  }
}

TEST_CASE("all modules are named by the index, so that none is asked for only once another has come") {
  const std::string index = page::index("t");
  for (const page::File& file : page::files()) {
    if (!file.path.ends_with(".js")) continue;
    INFO(file.path);
    CHECK(index.contains("\"" + std::string(file.path.substr(1)) + "\""));
  }
}
