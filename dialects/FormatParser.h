// Number formats as parameters of attributes: written by their names.

#ifndef MOIRE_DIALECTS_FORMATPARSER_H
#define MOIRE_DIALECTS_FORMATPARSER_H

#include "dialects/Formats.h"

#include "mlir/IR/DialectImplementation.h"

namespace mlir {

namespace detail {
template <typename Format>
FailureOr<Format> parseFormat(AsmParser &parser, std::optional<Format> (*named)(std::string_view)) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  if (std::optional<Format> format = named(std::string_view(keyword)))
    return *format;
  return parser.emitError(loc) << "there is no format '" << keyword << "'";
}
} // namespace detail

template <> struct FieldParser<::moire::PanelFormat> {
  static FailureOr<::moire::PanelFormat> parse(AsmParser &parser) {
    return detail::parseFormat(parser, &::moire::panelFormatNamed);
  }
};

template <> struct FieldParser<::moire::BlockFormat> {
  static FailureOr<::moire::BlockFormat> parse(AsmParser &parser) {
    return detail::parseFormat(parser, &::moire::blockFormatNamed);
  }
};

} // namespace mlir

#endif
