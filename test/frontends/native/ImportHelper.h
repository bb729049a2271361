// Imports models in tests and shows what came out as text.

#ifndef MOIRE_TEST_FRONTENDS_NATIVE_IMPORTHELPER_H
#define MOIRE_TEST_FRONTENDS_NATIVE_IMPORTHELPER_H

#include "frontends/native/Import.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "gtest/gtest.h"

namespace moire {

inline std::string goldenPath(const std::string &name) {
  return std::string(MOIRE_GOLDEN_DIR) + "/tiny/" + name;
}

/// The container at `path`; a failure is a test failure.
inline Container openModel(const std::string &path) {
  Container container;
  ReadError error;
  EXPECT_TRUE(openContainer(path, container, error)) << error.message;
  return container;
}

/// The printed IR of the model, verified; empty with a test failure if it cannot be imported.
inline std::string importText(const Container &container, const ImportOptions &options = {},
                              bool locations = false) {
  mlir::MLIRContext context;
  ReadError error;
  mlir::OwningOpRef<mlir::ModuleOp> module = importModel(context, container, options, error);
  EXPECT_TRUE(module) << error.message;
  if (!module)
    return "";
  EXPECT_TRUE(mlir::succeeded(mlir::verify(*module)));
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out, mlir::OpPrintingFlags().enableDebugInfo(locations));
  return text;
}

/// The error of an import that must fail.
inline ReadError importError(const Container &container, const ImportOptions &options = {}) {
  mlir::MLIRContext context;
  ReadError error;
  EXPECT_FALSE(importModel(context, container, options, error)) << "was imported";
  return error;
}

/// `text` with the first `from` replaced by `to`; a text without it is a test failure.
inline std::string replaced(std::string text, const std::string &from, const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// How often `part` occurs in `text`.
inline size_t countOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size())
    ++count;
  return count;
}

#define EXPECT_CONTAINS(text, part)                                                                \
  EXPECT_NE((text).find(part), std::string::npos) << "no " << (part) << " in\n" << (text)
#define EXPECT_LACKS(text, part)                                                                   \
  EXPECT_EQ((text).find(part), std::string::npos) << (part) << " is in\n" << (text)

} // namespace moire

#endif
