#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/context.h"
#include "hooks/inbox/api/description.h"
#include "hooks/inbox/page/page.h"

namespace hooksmtpd::inbox {
namespace {

// One of the page's files, or what describes the API. They change with the program only, and their tag with them.
bool show_page(const Context& context, Exchange& exchange) {
  if (exchange.path() == "/") {
    exchange.reply(HTTP_OK, "text/html; charset=utf-8", page::index(context.token),
                   {{"Content-Security-Policy", std::string(page::kPolicy)}});
    return true;
  }
  const page::File* file = page::find(exchange.path());
  if (!file) file = page::find(description::files(), exchange.path());
  if (!file) return false;
  const std::string etag(file->etag);
  if (exchange.header("If-None-Match") == etag) {
    exchange.reply(304, file->type, "", {{"ETag", etag}, {"Cache-Control", "no-cache"}});
  } else {
    exchange.reply(HTTP_OK, file->type, file->body, {{"ETag", etag}, {"Cache-Control", "no-cache"}});
  }
  return true;
}

bool show_health(Context& context, Exchange& exchange) {
  if (exchange.path() == "/livez") return exchange.reply(HTTP_OK, kPlain, "ok\n"), true;
  if (exchange.path() == "/readyz") {
    context.store.reader().newest();
    return exchange.reply(HTTP_OK, kPlain, "ok\n"), true;
  }
  if (exchange.path() != "/metrics") return false;
  const Reader& reader = context.store.reader();
  exchange.reply(HTTP_OK, "text/plain; version=0.0.4",
                 fmt::format("# HELP hooksmtpd_inbox_messages Messages that are stored.\n"
                             "# TYPE hooksmtpd_inbox_messages gauge\nhooksmtpd_inbox_messages {}\n"
                             "# HELP hooksmtpd_inbox_unread Messages that nobody has read.\n"
                             "# TYPE hooksmtpd_inbox_unread gauge\nhooksmtpd_inbox_unread {}\n"
                             "# HELP hooksmtpd_inbox_octets Octets of all messages.\n"
                             "# TYPE hooksmtpd_inbox_octets gauge\nhooksmtpd_inbox_octets {}\n"
                             "# HELP hooksmtpd_inbox_received_total Messages that have ever come.\n"
                             "# TYPE hooksmtpd_inbox_received_total counter\nhooksmtpd_inbox_received_total {}\n",
                             reader.messages(), reader.unread(""), reader.octets(), reader.newest()));
  return true;
}

}  // namespace

void Complaints::say(std::string_view what) {
  const auto now = std::chrono::steady_clock::now();
  if (now < silent_until_) return;
  silent_until_ = now + std::chrono::minutes(1);
  fmt::print(stderr, "<3>{}\n", what);
}

void route(Context& context, const ExchangePtr& exchange) try {
  if (exchange->reads() && (show_page(context, *exchange) || show_health(context, *exchange))) return;
  if (v2::route(context, exchange) || v1::route(context, exchange)) return;
  exchange->reply(Problem{404, "Not Found", "there is nothing at this path"});
} catch (const ProblemError& error) {
  exchange->reply(error.problem());
} catch (const nlohmann::json::exception& error) {
  exchange->reply(Problem{400, "Bad Request", error.what()});
} catch (const DatabaseError& error) {
  reply_broken(context, *exchange, error);
} catch (const std::exception& error) {
  exchange->reply(Problem{500, "Internal Server Error", error.what()});
}

}  // namespace hooksmtpd::inbox
