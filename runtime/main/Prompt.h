// From the options to the ids that the model continues.

#ifndef MOIRE_RUNTIME_MAIN_PROMPT_H
#define MOIRE_RUNTIME_MAIN_PROMPT_H

#include "runtime/main/Program.h"

namespace moire {

/// The prompt's ids: --token-ids as they are; text as a user's turn in the model's chat form, or as
/// it stands. Exit code as Program::open.
int readPrompt(const Program &program, std::vector<int32_t> &ids);

/// One user's turn in ChatML, after the system message if that is not empty, up to where the
/// assistant's answer begins. What looks like a control token inside `system` or `user` is ordinary
/// text: it cannot end a turn.
std::vector<int32_t> chatMlPrompt(const Tokenizer &tokenizer, std::string_view system,
                                  std::string_view user);

/// Whether an answer ends with this token.
bool endsAnswer(const Program &program, int32_t id);

} // namespace moire

#endif
