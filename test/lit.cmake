# check-lit runs the lit tests of this folder (see README.md).

configure_file(lit.site.cfg.py.in lit.site.cfg.py @ONLY)
add_custom_target(check-lit
  COMMAND ${MOIRE_LLVM_ROOT}/bin/lit -v ${CMAKE_CURRENT_BINARY_DIR}
  DEPENDS moire moire-limits moire-opt moire-lsp-server
  USES_TERMINAL
  COMMENT "Running the lit tests")
