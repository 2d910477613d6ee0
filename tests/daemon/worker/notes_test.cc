#include "daemon/worker/notes.h"

#include <doctest/doctest.h>

using hooksmtpd::worker::Notes;

TEST_CASE("each hook has its own notes, and the next ones take their place") {
  Notes notes;
  CHECK(notes.of("one") == "");
  notes.set("one", R"({"a":1})");
  notes.set("two", R"({"b":2})");
  CHECK(notes.of("one") == R"({"a":1})");
  CHECK(notes.of("two") == R"({"b":2})");
  notes.set("one", R"({"c":3})");
  CHECK(notes.of("one") == R"({"c":3})");
  CHECK(notes.of("on") == "");
}

TEST_CASE("an empty object forgets, and is not kept") {
  Notes notes;
  notes.set("one", "{}");
  CHECK(notes.empty());
  notes.set("one", R"({"a":1})");
  notes.set("two", R"({"b":2})");
  notes.set("one", "{}");
  CHECK(notes.of("one") == "");
  CHECK(notes.of("two") == R"({"b":2})");
  notes.set("two", "{}");
  CHECK(notes.empty());
}
