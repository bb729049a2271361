// Loops of nothing but multiply-adds in registers, one for each kind and register width: the most
// that a core can do. No loop waits for its own results, since each has more accumulators than an
// instruction takes cycles times what starts in a cycle.
//
// Each loop is a function `void moire_NAME(int64_t turns)` and a number `moire_NAME_operations`:
// how many operations a turn does, a multiplication and an addition counting as two. The macros
// below count while they write, so that the number is that of the code.

        .intel_syntax noprefix
        .section .rodata
        .balign 4
half:   .long 0x3f000000         // 0.5 in f32
halves: .long 0x3f003f00         // two of 0.5 in bf16
codes:  .long 0x0f03010c         // four unsigned codes of 4 bits
bytes:  .long 0x7f81c123         // four signed bytes
ones:   .long 0x00010001         // two words

// Begins the function \name; the loop's label is 1.
.macro BEGIN name
        .text
        .globl moire_\name
        .type moire_\name, @function
        .balign 64
moire_\name:
        .set operations, 0
.endm

// Ends the loop and the function, and writes down what was counted.
.macro END name
        dec rdi
        jnz 1b
        vzeroupper
        ret
        .size moire_\name, . - moire_\name
        .section .rodata
        .globl moire_\name\()_operations
        .type moire_\name\()_operations, @object
        .size moire_\name\()_operations, 8
        .balign 8
moire_\name\()_operations:
        .quad operations
.endm

.macro LOOP
        .balign 64
1:
.endm

// Clears registers 0 … \count - 1.
.macro ZERO register, count
        .altmacro
        .set i, 0
        .rept \count
        ZERO_\register %i
        .set i, i + 1
        .endr
        .noaltmacro
.endm
.macro ZERO_ymm number
        vpxor ymm\number, ymm\number, ymm\number
.endm
.macro ZERO_zmm number
        vpxord zmm\number, zmm\number, zmm\number
.endm

// \count times `\instruction accumulator, \a, \b`, each on its own accumulator.
.macro CHAINS instruction, register, count, a, b, each
        .altmacro
        .set i, 0
        .rept \count
        CHAIN \instruction, \register, %i, \a, \b
        .set operations, operations + \each
        .set i, i + 1
        .endr
        .noaltmacro
.endm
.macro CHAIN instruction, register, number, a, b
        \instruction \register\number, \a, \b
.endm

// Products of unsigned 4-bit codes with int8 the way a machine without VNNI has to make them: sums
// of 16 bits hold 8 products of pairs (2 * 15 * 127 each), then they are widened to 32 bits and
// added there. That is as seldom as weights of 4 bits allow, and wider ones need it more often.
// Sums of 16 bits are registers 0 … \chains - 1, those of 32 bits the next \chains; then codes,
// bytes, ones and a register for products.
.macro PAIRS register, chains, each
        .altmacro
        .set at_codes, 2 * \chains
        .set at_bytes, 2 * \chains + 1
        .set at_ones, 2 * \chains + 2
        .set at_product, 2 * \chains + 3
        .set step, 0
        .rept 8
        .set i, 0
        .rept \chains
        .if step == 0
        PAIR_FIRST \register, %i, %at_codes, %at_bytes
        .else
        PAIR_NEXT \register, %i, %at_codes, %at_bytes, %at_product
        .endif
        .set operations, operations + \each
        .set i, i + 1
        .endr
        .set step, step + 1
        .endr
        .set i, 0
        .rept \chains
        .set wide, i + \chains
        PAIR_WIDEN \register, %i, %wide, %at_ones, %at_product
        .set i, i + 1
        .endr
        .noaltmacro
.endm
.macro PAIR_FIRST register, sum, codes, bytes
        vpmaddubsw \register\sum, \register\codes, \register\bytes
.endm
.macro PAIR_NEXT register, sum, codes, bytes, product
        vpmaddubsw \register\product, \register\codes, \register\bytes
        vpaddw \register\sum, \register\sum, \register\product
.endm
.macro PAIR_WIDEN register, sum, wide, ones, product
        vpmaddwd \register\product, \register\sum, \register\ones
        vpaddd \register\wide, \register\wide, \register\product
.endm

// The function \name: its turns are \count times `\instruction`, of \each operations, on operands
// that \load_a and \load_b put into registers \a and \b.
.macro CHAINS_FUNCTION name, instruction, register, count, each, a, load_a, b, load_b
        BEGIN \name
        ZERO \register, \count
        \load_a
        \load_b
        LOOP
        CHAINS \instruction, \register, \count, \a, \b, \each
        END \name
.endm

// The function \name: its turns are PAIRS.
.macro PAIRS_FUNCTION name, register, chains, each
        BEGIN \name
        ZERO \register, 2 * \chains
        .altmacro
        LOAD_INTEGERS \register, %(2 * \chains), codes
        LOAD_INTEGERS \register, %(2 * \chains + 1), bytes
        LOAD_INTEGERS \register, %(2 * \chains + 2), ones
        .noaltmacro
        LOOP
        PAIRS \register, \chains, \each
        END \name
.endm
.macro LOAD_INTEGERS register, number, from
        vpbroadcastd \register\number, [rip + \from]
.endm

// f32: 8 or 16 lanes of a fused multiply-add.
CHAINS_FUNCTION f32_avx2, vfmadd231ps, ymm, 12, 16, \
        ymm12, "vbroadcastss ymm12, [rip + half]", ymm13, "vmovaps ymm13, ymm12"
CHAINS_FUNCTION f32_avx512, vfmadd231ps, zmm, 24, 32, \
        zmm24, "vbroadcastss zmm24, [rip + half]", zmm25, "vmovaps zmm25, zmm24"

// bf16: 16 lanes of two products.
CHAINS_FUNCTION bf16_avx512, vdpbf16ps, zmm, 24, 64, \
        zmm24, "vpbroadcastd zmm24, [rip + halves]", zmm25, "vmovdqa64 zmm25, zmm24"

// int8: 32 or 64 products an instruction.
PAIRS_FUNCTION int8_avx2, ymm, 6, 64
PAIRS_FUNCTION int8_avx512, zmm, 12, 128
CHAINS_FUNCTION int8_vnni, vpdpbusd, zmm, 24, 128, \
        zmm24, "vpbroadcastd zmm24, [rip + codes]", zmm25, "vpbroadcastd zmm25, [rip + bytes]"

        .section .note.GNU-stack, "", @progbits
