#include "hooks/inbox/store/store.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "hooks/inbox/store/schema.h"

namespace hooksmtpd::inbox {
namespace {

constexpr std::size_t kMarkedAtOnce = 500;  // then others' turn comes

}  // namespace

std::string new_id() {
  std::array<unsigned char, 16> bits;
  if (getrandom(bits.data(), bits.size(), 0) != static_cast<ssize_t>(bits.size()))
    throw std::runtime_error("getrandom");
  std::string id;
  for (const unsigned char octet : bits) id += fmt::format("{:02x}", octet);
  return id;
}

Store::Store(const std::filesystem::path& folder, const Retention& retention, std::function<void()> wake)
    : writer_(open_to_write(folder, said_), retention, std::move(wake)), reader_(open_to_read(folder)) {}

void Store::add(NewMessage message, Done done) {
  writer_.submit({.write =
                      [message = std::move(message)](Rows& rows) {
                        rows.add(message);
                        return false;
                      },
                  .done = std::move(done)});
}

void Store::add(Session session, Done done) {
  writer_.submit({.write =
                      [session = std::move(session)](Rows& rows) {
                        rows.add(session);
                        return false;
                      },
                  .done = std::move(done)});
}

void Store::take_back(std::string transaction, Done done) {
  writer_.submit({.write =
                      [transaction = std::move(transaction)](Rows& rows) {
                        rows.take_back(transaction);
                        return false;
                      },
                  .done = std::move(done)});
}

void Store::mark(std::vector<std::string> ids, Mark mark, std::string tag, Changed changed) {
  struct Progress {
    std::size_t next = 0, changed = 0;
  };
  const auto progress = std::make_shared<Progress>();
  writer_.submit({.write =
                      [progress, ids = std::move(ids), mark, tag = std::move(tag)](Rows& rows) {
                        const std::span<const std::string> left = std::span(ids).subspan(progress->next);
                        const auto some = left.first(std::min(left.size(), kMarkedAtOnce));
                        const std::size_t count = rows.mark(rows.find(some), mark, tag);
                        progress->changed += count;
                        progress->next += some.size();
                        return progress->next < ids.size();
                      },
                  .done = [progress, changed = std::move(changed)](
                              const std::optional<WriteFailure>& failure) { changed(progress->changed, failure); }});
}

void Store::mark_found(std::string query, Mark mark, std::string tag, Changed changed) {
  struct Progress {
    std::int64_t after = 0;
    std::size_t changed = 0;
  };
  const auto progress = std::make_shared<Progress>();
  writer_.submit({.write =
                      [progress, query = parse_query(query, now()), newest = reader_.newest(), mark,
                       tag = std::move(tag)](Rows& rows) {
                        auto found = rows.find(query, progress->after, kMarkedAtOnce);
                        const bool all = found.size() < kMarkedAtOnce;
                        std::erase_if(found, [&](std::int64_t sequence) { return sequence > newest; });
                        progress->changed += rows.mark(found, mark, tag);
                        if (!found.empty()) progress->after = found.back();
                        return !all && !found.empty();
                      },
                  .done = [progress, changed = std::move(changed)](
                              const std::optional<WriteFailure>& failure) { changed(progress->changed, failure); }});
}

void Store::set_tags(std::vector<std::string> ids, std::vector<std::string> tags, Changed changed) {
  const auto count = std::make_shared<std::size_t>(0);
  writer_.submit({.write =
                      [count, ids = std::move(ids), tags = std::move(tags)](Rows& rows) {
                        *count = rows.set_tags(rows.find(ids), tags);
                        return false;
                      },
                  .done = [count, changed = std::move(changed)](
                              const std::optional<WriteFailure>& failure) { changed(*count, failure); }});
}

void Store::rename_tag(std::string tag, std::string name, Changed changed) {
  const auto count = std::make_shared<std::size_t>(0);
  writer_.submit({.write =
                      [count, tag = std::move(tag), name = std::move(name)](Rows& rows) {
                        const std::size_t some = rows.rename_tag(tag, name, kMarkedAtOnce);
                        *count += some;
                        return some == kMarkedAtOnce;
                      },
                  .done = [count, changed = std::move(changed)](
                              const std::optional<WriteFailure>& failure) { changed(*count, failure); }});
}

void Store::poll() {
  for (const Change& change : writer_.finished()) {
    for (auto watcher = watchers_.begin(); watcher != watchers_.end();) {
      const auto next = std::next(watcher);
      (*watcher)(change);
      watcher = next;
    }
  }
}

}  // namespace hooksmtpd::inbox
