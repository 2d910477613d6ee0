// hooksmtpctl hook new: a hook to begin with, its SDK beside it, and cases that it passes.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include "daemon/ctl/hook/commands.h"
#include "daemon/ctl/hook/embedded.h"
#include "daemon/ctl/hook/places.h"

namespace hooksmtpd::ctl {
namespace {

namespace fs = std::filesystem;

struct Language {
  std::string_view name, extension;     // the extension will do as a name, too
  std::array<std::string_view, 2> sdk;  // files of it; the second may be empty
};
constexpr std::array<Language, 3> kLanguages = {{
    {"python", "py", {"hooksmtpd.py", ""}},
    {"node", "js", {"hooksmtpd.js", "hooksmtpd.d.ts"}},
    {"shell", "sh", {"hooksmtpd.sh", ""}},
}};

struct Options {
  std::string language, name, folder;
};

std::string filled_in(std::string_view skeleton, std::string_view name) {
  static constexpr std::string_view kMark = "@NAME@";
  std::string text;
  for (std::size_t at; (at = skeleton.find(kMark)) != std::string_view::npos;) {
    text.append(skeleton.substr(0, at)).append(name);
    skeleton.remove_prefix(at + kMark.size());
  }
  return text.append(skeleton);
}

// Never over what is there.
std::optional<Failure> write_new(const fs::path& path, const std::string& text) {
  if (fs::exists(path)) return Failure{EX_CANTCREAT, "exists", fmt::format("{} is there already", path.string())};
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return Failure{EX_CANTCREAT, "file", fmt::format("{} cannot be written", path.string())};
  return std::nullopt;
}

std::optional<Failure> copy_sdk(const Language& language, const fs::path& folder) {
  const fs::path sdk = sdk_folder();
  for (const std::string_view file : language.sdk) {
    if (file.empty()) continue;
    std::error_code error;
    fs::copy_file(sdk / file, folder / file, fs::copy_options::skip_existing, error);
    if (error) {
      return Failure{
          EX_CANTCREAT, "file",
          fmt::format("{} cannot be copied to {}: {}", (sdk / file).string(), folder.string(), error.message())};
    }
  }
  return std::nullopt;
}

// What the configuration takes as a name, and every language as the beginning of one.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && name.front() >= 'a' && name.front() <= 'z' &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::string what_next(const fs::path& program, const fs::path& cases, std::string_view name) {
  return fmt::format(
      "{0} is a hook, {1} what it is asked. Try it:\n\n"
      "    hooksmtpctl hook test --cases {1} {0}\n\n"
      "Then let root own it, and name it in /etc/hooksmtpd/hooksmtpd.toml:\n\n"
      "    [[hook]]\n"
      "    name = \"{2}\"\n"
      "    command = [\"{3}\"]\n"
      "    events = [\"validate_recipient\", \"deliver\"]\n"
      "    stores = true\n",
      program.string(), cases.string(), name, fs::absolute(program).lexically_normal().string());
}

int run(const Context& context, const Options& options) {
  const Language* const language = std::ranges::find_if(kLanguages, [&](const Language& one) {
    return options.language == one.name || options.language == one.extension;
  });
  if (language == kLanguages.end()) {
    return fail(context, {EX_USAGE, "usage", "hook new: --lang is python, node or shell"});
  }
  if (!is_name(options.name)) {
    return fail(context,
                {EX_USAGE, "usage", "hook new: a name has small letters, digits and -, and begins with a letter"});
  }
  const fs::path folder = options.folder.empty() ? fs::path(options.name) : fs::path(options.folder);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(context, {EX_CANTCREAT, "file", fmt::format("{}: {}", folder.string(), error.message())});

  const fs::path program = folder / fmt::format("{}.{}", options.name, language->extension);
  const fs::path cases = folder / "cases.jsonl";
  const auto skeleton = [&](std::string_view name) {
    return filled_in(find_file(skeleton_files(), name), options.name);
  };
  if (auto failure = write_new(program, skeleton(language->name))) return fail(context, *failure);
  if (auto failure = write_new(cases, skeleton("cases.jsonl"))) return fail(context, *failure);
  if (auto failure = copy_sdk(*language, folder)) return fail(context, *failure);
  fs::permissions(program, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                  fs::perm_options::add);
  print(what_next(program, cases, options.name));
  return EX_OK;
}

}  // namespace

void add_hook_new(CLI::App& group, Context& context) {
  CLI::App* const begin = group.add_subcommand("new", "write a hook to begin with, and cases that it passes");
  const auto options = std::make_shared<Options>();
  begin->add_option("--lang", options->language, "python, node or shell")->required();
  begin->add_option("NAME", options->name, "of the hook")->required();
  begin->add_option("FOLDER", options->folder, "where to put it; without it one of that name");
  begin->callback([&context, options] { context.status = run(context, *options); });
}

}  // namespace hooksmtpd::ctl
