// Loops that read memory and do nothing with it: `void moire_read_N(const void *data, int64_t
// bytes)` reads N streams of `bytes` each, which lie behind one another and go forward side by side;
// so each of them is a pattern that a prefetcher knows, and several are in different pages of the
// memory. `bytes` is a positive multiple of 256. The variants _ahead also ask for each line
// beforehand.

        .intel_syntax noprefix

// How far ahead, in bytes.
        .set AHEAD, 2048

// rdi, rcx, rdx, r8 … r11 and rbx are where the streams begin; rsi: bytes of each; rax: the offset.
.macro LINES base, ahead
        .if \ahead
        prefetcht0 [\base + rax + AHEAD]
        prefetcht0 [\base + rax + AHEAD + 64]
        prefetcht0 [\base + rax + AHEAD + 128]
        prefetcht0 [\base + rax + AHEAD + 192]
        .endif
        vmovdqa ymm0, [\base + rax]
        vmovdqa ymm1, [\base + rax + 32]
        vmovdqa ymm2, [\base + rax + 64]
        vmovdqa ymm3, [\base + rax + 96]
        vmovdqa ymm4, [\base + rax + 128]
        vmovdqa ymm5, [\base + rax + 160]
        vmovdqa ymm6, [\base + rax + 192]
        vmovdqa ymm7, [\base + rax + 224]
.endm

.macro READ name, streams, ahead
        .text
        .globl moire_\name
        .type moire_\name, @function
        .balign 64
moire_\name:
        push rbx
        lea rcx, [rdi + rsi]
        lea rdx, [rcx + rsi]
        lea r8, [rdx + rsi]
        lea r9, [r8 + rsi]
        lea r10, [r9 + rsi]
        lea r11, [r10 + rsi]
        lea rbx, [r11 + rsi]
        xor eax, eax
        .balign 64
1:
        LINES rdi, \ahead
        .if \streams > 1
        LINES rcx, \ahead
        .endif
        .if \streams > 2
        LINES rdx, \ahead
        LINES r8, \ahead
        .endif
        .if \streams > 4
        LINES r9, \ahead
        LINES r10, \ahead
        LINES r11, \ahead
        LINES rbx, \ahead
        .endif
        add rax, 256
        cmp rax, rsi
        jb 1b
        vzeroupper
        pop rbx
        ret
        .size moire_\name, . - moire_\name
.endm

        READ read_1, 1, 0
        READ read_2, 2, 0
        READ read_4, 4, 0
        READ read_8, 8, 0
        READ read_1_ahead, 1, 1
        READ read_2_ahead, 2, 1
        READ read_4_ahead, 4, 1
        READ read_8_ahead, 8, 1

        .section .note.GNU-stack, "", @progbits
