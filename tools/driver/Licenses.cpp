#include "tools/driver/Licenses.h"

#include "tools/driver/LicenseText.inc" // moireLicense, made from the file LICENSE
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"

namespace moire::driver {

static const char notices[] =
    R"(The GNU C++ library and libgcc are linked in under the GNU General Public License, version 3, with
the GCC Runtime Library Exception, version 3.1. The source is that of the Debian package gcc-12.

xxHash, Copyright (c) Yann Collet, is compiled in under the BSD 2-Clause License: redistribution and
use in source and binary forms, with or without modification, are permitted provided that
redistributions of source code retain the copyright notice, this list of conditions and the following
disclaimer, and that redistributions in binary form reproduce them in the documentation or other
materials provided with the distribution. THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND
CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL
THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL,
EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF
LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING
IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
)";

static std::string heading(const std::string &title) { return "==== " + title + " ====\n\n"; }

static std::string modelLicense(const Container &container) {
  if (container.kind == Container::Kind::HuggingFace) {
    auto file = llvm::MemoryBuffer::getFile(container.path + "/LICENSE", /*IsText=*/true);
    return file ? (*file)->getBuffer().str() : "The model's folder has no file LICENSE.\n";
  }
  auto found = container.metadata.find("general.license");
  const std::string *name =
      found == container.metadata.end() ? nullptr : std::get_if<std::string>(&found->second.value);
  return name ? "The model's file names its licence: " + *name + "\n"
              : "The model's file names no licence.\n";
}

std::string licenseTexts(const Container &container) {
  return heading("The runtime of Moire") + moireLicense + "\n" +
         heading("Libraries in the runtime") + notices + "\n" + heading("The model") +
         modelLicense(container);
}

} // namespace moire::driver
