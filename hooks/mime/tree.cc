#include "hooks/mime/tree.h"

#include "hooks/mime/bodies.h"
#include "hooks/mime/structure.h"
#include "hooks/mime/tree_text.h"
#include "hooks/mime/tree_writer.h"

namespace hooksmtpd::mime {

std::expected<std::string, Refusal> make_tree(const Task& task, const PartFiles& files, const Limits& limits) {
  Budget budget(limits);
  const auto root = find_parts(task.message, {.utf8 = task.utf8}, budget);
  Bodies(files, budget).write(task.message, *root, 1, task.utf8);
  if (budget.refusal()) return std::unexpected(*budget.refusal());

  TreeText out(files, task.room);
  if (const auto written = TreeWriter(files, out).write(task.message, *root); !written) {
    return std::unexpected(cannot(written.error()));
  }
  auto text = out.finish();
  if (!text) return std::unexpected(cannot(text.error()));
  return *std::move(text);
}

}  // namespace hooksmtpd::mime
