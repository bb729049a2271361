// The classes of code points that split patterns ask for.

#ifndef MOIRE_RUNTIME_TEXT_UNICODECLASSES_H
#define MOIRE_RUNTIME_TEXT_UNICODECLASSES_H

#include <cstddef>
#include <cstdint>

namespace moire {

/// General categories L* and N*, the property White_Space, and all else.
enum class CharacterClass : uint8_t { Other, Letter, Number, Space };

/// The code points in runs of one class, ascending: (first code point of the run) << 2 | class.
extern const uint32_t characterClassRuns[];
extern const size_t characterClassRunCount;

} // namespace moire

#endif
