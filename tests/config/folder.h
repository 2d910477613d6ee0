// A folder with a configuration, main.toml, for as long as the object lives.

#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>

#include "config/load.h"

namespace hooksmtpd::config {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "config-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::filesystem::path write(const std::filesystem::path& name, std::string_view text) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

  // The messages for main.toml, the folder's name taken out.
  std::string errors() const {
    const auto loaded = load(request());
    if (loaded) return "no error";
    return std::regex_replace(to_string(loaded.error()), std::regex(path_.string()), "~");
  }
  std::string banner() const {
    const auto loaded = load(request());
    return loaded ? loaded->config.banner : to_string(loaded.error());
  }
  Request request() const {
    Request request;
    request.file = path_ / "main.toml";
    request.machine = {.hostname = "mail.test", .uid = 0, .environment = {}, .hooks = "/libexec"};
    return request;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace hooksmtpd::config
