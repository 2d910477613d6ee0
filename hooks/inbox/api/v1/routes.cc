#include <event2/http.h>

#include <string>
#include <string_view>
#include <vector>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/context.h"
#include "hooks/inbox/api/v1/handlers.h"

namespace hooksmtpd::inbox::v1 {
namespace {

using Words = std::vector<std::string>;

bool read_one(Context& context, const ExchangePtr& exchange, const Words& words) {
  Exchange& out = *exchange;
  const std::string& first = words[0];
  if (words.size() == 1) {
    if (first == "messages") return list(context, out, ""), true;
    if (first == "search") return list(context, out, out.parameter("query")), true;
    if (first == "tags") return list_tags(context, out), true;
    if (first == "info") return info(context, out), true;
    if (first == "webui") return web_ui(context, out), true;
    if (first == "chaos") return show_chaos(context, exchange), true;
    return false;
  }
  if (first != "message") return false;
  if (words.size() == 2) return show(context, exchange, words[1]), true;
  if (words.size() == 3) {
    if (words[2] == "headers") return show_headers(context, out, words[1]), true;
    if (words[2] == "raw") return show_raw(context, out, words[1]), true;
    if (words[2] == "html-check") return check_html(context, out, words[1]), true;
    if (words[2] == "link-check") return check_links(context, out, words[1]), true;
    if (words[2] == "sa-check") return check_spam(context, out, words[1]), true;
    return false;
  }
  if (words[2] != "part") return false;
  if (words.size() == 4) return show_part(context, out, words[1], words[3]), true;
  if (words.size() == 5 && words[4] == "thumb") return show_thumbnail(context, out, words[1], words[3]), true;
  return false;
}

bool change(Context& context, const ExchangePtr& exchange, std::string_view path) {
  const bool puts = exchange->method() == EVHTTP_REQ_PUT, deletes = exchange->method() == EVHTTP_REQ_DELETE;
  if (path == "messages" && puts) return set_read(context, exchange), true;
  if (path == "messages" && deletes) return remove(context, exchange), true;
  if (path == "search" && deletes) return remove_found(context, exchange), true;
  if (path == "tags" && puts) return set_tags(context, exchange), true;
  if (path == "chaos" && puts) return set_chaos(context, exchange), true;
  constexpr std::string_view kTag = "tags/";  // which may have a slash in it
  if (path.starts_with(kTag) && path.size() > kTag.size()) {
    const std::string tag(path.substr(kTag.size()));
    if (puts) return rename_tag(context, exchange, tag), true;
    if (deletes) return delete_tag(context, exchange, tag), true;
  }
  if (exchange->method() != EVHTTP_REQ_POST) return false;
  if (path == "send") return send(context, exchange), true;
  const Words words = words_of(std::string(path));
  if (words.size() == 3 && words[0] == "message" && words[2] == "release")
    return release(context, exchange, words[1]), true;
  return false;
}

// "/view/ID.html", "/view/ID.txt", "/view/latest.html".
bool view_one(Context& context, Exchange& exchange) {
  constexpr std::string_view kView = "/view/";
  const std::string_view path = exchange.path();
  const bool html = path.ends_with(".html");
  if (!path.starts_with(kView) || !(html || path.ends_with(".txt"))) return false;
  const std::string_view id = path.substr(kView.size());
  view(context, exchange, std::string(id.substr(0, id.rfind('.'))), html);
  return true;
}

}  // namespace

bool route(Context& context, const ExchangePtr& exchange) {
  if (exchange->reads() && view_one(context, *exchange)) return true;
  constexpr std::string_view kPrefix = "/api/v1/";
  if (!exchange->path().starts_with(kPrefix)) return false;
  const std::string path = exchange->path().substr(kPrefix.size());
  const Words words = words_of(path);
  if (words.empty()) return false;
  return exchange->reads() ? read_one(context, exchange, words) : change(context, exchange, path);
}

}  // namespace hooksmtpd::inbox::v1
