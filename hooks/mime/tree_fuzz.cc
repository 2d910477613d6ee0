// Any octets are a message with a tree: JSON in ASCII whose paths name the files, with as many octets as it says; or
// beyond a limit, and then nothing is left behind.

#include <fcntl.h>
#include <gmime/gmime.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "hooks/mime/tree.h"
#include "proto/mail/utf8.h"

namespace {

using namespace hooksmtpd;
using Json = nlohmann::json;

// On a file system in memory, for the life of the process.
class Folder {
 public:
  Folder() {
    const char* made = mkdtemp(path_.data());
    assert(made != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/dev/shm/tree-fuzz-XXXXXX";
};

std::size_t check(const Json& node, std::size_t depth) {
  assert(depth <= 20);
  std::size_t files = 0;
  assert(node.contains("parts") != node.contains("path"));
  assert(node.contains("text") == (node.at("type").get<std::string>().starts_with("text/")));
  for (const Json& field : node.at("headers")) assert(field.size() == 3 || field.size() == 4);
  if (node.contains("path")) {
    assert(std::filesystem::file_size(node.at("path").get<std::string>()) == node.at("size"));
    ++files;
  }
  if (node.contains("parts")) {
    for (const Json& part : node.at("parts")) files += check(part, depth + 1);
  }
  if (node.contains("message")) files += check(node.at("message"), depth + 1);
  return files;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool initialised = (g_mime_init(), true);
  static const Folder folder;
  static const auto shelf = mime::Shelf::open(folder.path());
  static const int message = memfd_create("message", MFD_CLOEXEC);
  assert(initialised && shelf);
  const bool cut = ftruncate(message, 0) == 0 && pwrite(message, data, size, 0) == static_cast<ssize_t>(size);
  assert(cut);

  const mime::Limits limits{.depth = 20, .parts = 100, .size = 1024 * 1024};
  for (const bool utf8 : {false, true}) {
    {
      const auto files = shelf->make("t-1");
      assert(files);
      const std::size_t room = utf8 ? 100 : 1024 * 1024;  // once in memory, once as a file
      const auto tree = mime::make_tree({.message = message, .utf8 = utf8, .room = room}, *files, limits);
      if (!tree) {
        assert(tree.error().code == 554 && !tree.error().text.empty());
        continue;
      }
      const Json reply = Json::parse(*tree);
      const bool is_file = reply.size() == 1;
      const std::string text = is_file ? read_file(reply.at("path")) : *tree;
      assert(mail::is_ascii(text));
      const std::size_t count = check(Json::parse(text), 1) + (is_file ? 1 : 0);
      const std::filesystem::directory_iterator written(files->path(""));
      assert(count == static_cast<std::size_t>(std::distance(begin(written), end(written))));
    }
  }
  assert(std::filesystem::is_empty(folder.path()));
  return 0;
}
