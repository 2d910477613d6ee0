#include "hooks/tcl/words.h"

#include <tcl.h>

#include <cassert>
#include <vector>

namespace hooksmtpd::tcl {
namespace {

std::string_view text_of(Tcl_Obj* value) {
  int length = 0;
  const char* text = Tcl_GetStringFromObj(value, &length);
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace

Tcl_Obj* value_of(std::string_view text) { return Tcl_NewStringObj(text.data(), static_cast<int>(text.size())); }

Tcl_Obj* list_of(std::span<const std::string_view> texts) {
  std::vector<Tcl_Obj*> values;
  values.reserve(texts.size());
  for (const std::string_view text : texts) values.push_back(value_of(text));
  return Tcl_NewListObj(static_cast<int>(values.size()), values.data());
}

Words::Words(std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) append(value_of(word));
}

Words::~Words() {
  for (std::size_t i = 0; i < count_; ++i) Tcl_DecrRefCount(words_[i]);
}

void Words::append(Tcl_Obj* word) {
  assert(count_ < words_.size());
  Tcl_IncrRefCount(word);
  words_[count_++] = word;
}

std::optional<std::string_view> Words::call(Tcl_Interp* interpreter) const {
  if (Tcl_EvalObjv(interpreter, static_cast<int>(count_), words_.data(), TCL_EVAL_GLOBAL) == TCL_OK) {
    return text_of(Tcl_GetObjResult(interpreter));
  }
  Words log{"::hooksmtpd::log", "error"};
  Tcl_Obj* message = value_of("request not answered: ");
  if (Tcl_Obj* trace = Tcl_GetVar2Ex(interpreter, "errorInfo", nullptr, TCL_GLOBAL_ONLY))
    Tcl_AppendObjToObj(message, trace);
  log.append(message);
  Tcl_EvalObjv(interpreter, static_cast<int>(log.count_), log.words_.data(), TCL_EVAL_GLOBAL);
  return std::nullopt;
}

}  // namespace hooksmtpd::tcl
