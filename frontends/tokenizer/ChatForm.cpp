#include "frontends/tokenizer/TokenizerImport.h"

using namespace moire;

/// Reads the jinja string literal whose text starts at `position`, inside quotes `quote`.
/// An unterminated one is empty.
static std::string readLiteral(std::string_view source, size_t position, char quote) {
  std::string text;
  for (; position < source.size() && source[position] != quote; ++position) {
    if (source[position] != '\\' || position + 1 == source.size()) {
      text += source[position];
      continue;
    }
    const char escaped = source[++position];
    text += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
  }
  return position < source.size() ? text : std::string();
}

ChatForm moire::recogniseChatForm(std::string_view chatTemplate) {
  constexpr std::string_view start = "<|im_start|>", end = "<|im_end|>", system = "system\n";
  ChatForm form;
  if (chatTemplate.find(start) == chatTemplate.npos || chatTemplate.find(end) == chatTemplate.npos)
    return form;
  form.kind = ChatForm::ChatMl;

  // The default system message stands in one piece: a string literal, or text outside of tags.
  for (size_t at = 0; (at = chatTemplate.find(start, at)) != chatTemplate.npos;) {
    const char before = at > 0 ? chatTemplate[at - 1] : '\0';
    at += start.size();
    std::string text = before == '\'' || before == '"'
                           ? readLiteral(chatTemplate, at, before)
                           : std::string(chatTemplate.substr(at, chatTemplate.find('{', at) - at));
    const size_t length = text.find(end);
    if (text.starts_with(system) && length != text.npos) {
      form.default_system = text.substr(system.size(), length - system.size());
      break;
    }
  }
  return form;
}
