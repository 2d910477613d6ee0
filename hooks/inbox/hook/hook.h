// The inbox as a hook: requests in, replies out, when what they are about is on disk.

#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "hooks/inbox/hook/options.h"
#include "hooks/inbox/store/store.h"
#include "proto/hook/request_line.h"

namespace hooksmtpd::inbox {

class Hook {
 public:
  struct Surroundings {
    // A reply line, without its line feed.
    std::function<void(std::string line)> reply;
    // At hello: opens the store. The error says why it cannot.
    std::function<std::expected<Store*, std::string>(const Options& options)> open;
  };
  explicit Hook(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  // A request, without its line feed.
  void request(std::string_view line);

 private:
  using Json = nlohmann::json;

  struct Large;

  void answer(const Json& request, const Large& large);
  void hello(const Json& request);
  void deliver(const Json& request, const std::optional<hook::Body>& body);
  void disconnect(const Json& request, std::optional<std::string_view> dialogue);
  void reset(const Json& request);

  void accept(const Json& id) const;
  void fail(const Json& id, const WriteFailure& failure) const;
  // Replies once something is written.
  Store::Done reply_to(const Json& id) const;

  Surroundings surroundings_;
  Options options_;
  Store* store_ = nullptr;
};

}  // namespace hooksmtpd::inbox
