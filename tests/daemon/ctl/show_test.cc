#include "daemon/ctl/show.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "daemon/ctl/table.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

TEST_CASE("columns are as wide as their widest cell; no line ends in blanks") {
  CHECK(table({{"a", "bb", "c"}, {"aaa", "b"}, {}}) == "a    bb  c\naaa  b\n\n");
}

TEST_CASE("one setting is its value alone, several have their origin beside them") {
  const json reply = json::parse(R"({"ok":true,"values":[{"key":"banner","value":"hello you","origin":"configure"},
                                     {"key":"hostname","value":"mail.test","origin":"default"}]})");
  CHECK(show_settings(reply, true) == "hello you\n");
  CHECK(show_settings(reply, false) == "banner    hello you  configure\nhostname  mail.test  default\n");
}

TEST_CASE("what a hook printed cannot move the cursor") {
  const json reply = json::parse(
      R"({"ok":false,"error":"not ready","missing":[{"name":"policy","instance":1,"last_error":"a\u001b[2J\nb"}]})");
  const std::string text = show_error(reply);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("policy/1: a") != std::string::npos);
}

TEST_CASE("the lines of an error stay lines") {
  CHECK(show_error(json::parse(R"({"error":"one\ntwo\u0007","suggestion":"three"})")) == "one\ntwo?\nthree");
}

TEST_CASE("an answer that lacks everything is shown all the same") {
  for (const char* reply : {"{}", "[]", "null", R"({"hooks":7,"worker":[],"addresses":{"a":1},"config":"x"})"}) {
    CAPTURE(reply);
    CHECK_FALSE(show_status(json::parse(reply)).empty());
    show_settings(json::parse(reply), false);
    show_changes(json::parse(reply));
    show_hooks(json::parse(reply));
    show_restarting(json::parse(reply));
    show_error(json::parse(reply));
  }
}

TEST_CASE("hooks for people: latencies in the unit that fits, and what a hook does besides judging") {
  const json reply = json::parse(R"({"ok":true,"hooks":[
    {"name":"policy","instance":1,"state":"ready","requests":12,"failures":0,"restarts":0,"answers":12,"p50_us":850,
     "p99_us":3200,"stores":0,"modifies_sender":1,"modifies_headers":1,"last_error":""},
    {"name":"store","instance":2,"state":"backing off","requests":3,"failures":1,"restarts":4,"answers":2,
     "p50_us":45000,"p99_us":1500000,"stores":1,"last_error":"it ended"},
    {"name":"new","instance":1,"state":"starting","requests":0,"failures":0,"restarts":0,"answers":0,"p50_us":0,
     "p99_us":0,"last_error":""}]})");
  CHECK(show_hooks(reply) ==
        "HOOK      STATE        REQUESTS  FAILURES  RESTARTS  P50     P99     STORES, MODIFIES  LAST ERROR\n"
        "policy/1  ready        12        0         0         850 us  3.2 ms  sender, headers   -\n"
        "store/2   backing off  3         1         4         45 ms   1.5 s   stores            it ended\n"
        "new/1     starting     0         0         0         -       -       -                 -\n");
  CHECK(show_hooks(json::parse(R"({"ok":true,"hooks":[]})")) == "no hooks\n");
  CHECK(show_restarting(json::parse(R"({"restarting":["a/1","a/2"]})")) == "restarting: a/1, a/2\n");
}

TEST_CASE("status for people") {
  const json reply = json::parse(R"({"version":"0.1.0","state":"running","pid":1,"uptime":300,
    "addresses":[{"listener":"smtp","address":"127.0.0.1:25"}],
    "worker":{"state":"serving","pid":2,"restarts":0,"sessions":1,"connections_total":9,"messages_accepted":8,
              "messages_refused":0,"last_error":""},
    "keyholder":{"state":"serving","pid":4,"restarts":1,"last_error":"signal=9"},
    "isolation":{"level":"none","missing":["jails"]},"config":[],"discards":true,
    "hooks":[{"name":"policy","instance":1,"state":"ready","pid":3,"restarts":0,"requests":8,"waiting":0,
              "last_error":""}]})");
  CHECK(show_status(reply) ==
        "hooksmtpd 0.1.0, running, pid 1, up 5 min\n"
        "smtp           127.0.0.1:25\n"
        "worker         serving, pid 2, 0 restarts; 1 sessions open, 9 connections, 8 messages accepted, 0 refused\n"
        "keyholder      serving, pid 4, 1 restarts\n"
        "               last error: signal=9\n"
        "isolation      none (missing: jails)\n"
        "configuration  built-in defaults\n"
        "no hook has the event 'deliver': mail is accepted and thrown away\n"
        "\n"
        "HOOK      STATE  PID  RESTARTS  REQUESTS  WAITING  LAST ERROR\n"
        "policy/1  ready  3    0         8         0        -\n");
}

}  // namespace
}  // namespace hooksmtpd::ctl
