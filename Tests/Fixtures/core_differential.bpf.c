/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of CO-RE relocation, on every kind of instruction and every kind of type. Only for
 * comparing two relocators on changed copies of these types: it never runs.
 */
#include "helpers.h"

#define core __attribute__((preserve_access_index))

enum color { RED = 1, GREEN = 7, BLUE = -3 };
enum flags { FIRST = 1, LAST = 0x80000000u };
enum wide { SMALL = 5, HUGE_VALUE = 0x123456789aULL };

struct outer;
typedef int (*callback_t)(struct outer *, unsigned long);

struct inner {
	int first;
	unsigned short second;
	char text[12];
} core;

union choice {
	unsigned int number;
	struct inner *pointer;
} core;

struct bits {
	unsigned int low : 3;
	unsigned int middle : 17;
	int sign : 7;
	unsigned long long big : 40;
	enum color shade : 4;
} core;

struct tail {
	unsigned int count;
	struct inner items[];
} core;

struct outer {
	unsigned char byte;
	unsigned int number;
	unsigned long long large;
	signed int negative;
	struct inner *pointer;
	struct inner nested;
	struct inner table[4];
	int grid[3][5];
	union {
		unsigned int in_union;
		struct {
			unsigned short deep;
			unsigned short deeper;
		};
	};
	union choice choice;
	enum color color;
	callback_t callback;
	struct bits bits;
	double real;
	const volatile struct tail *tail;
} core;

struct outer___other {
	unsigned int number;
	int not_there;
} core;

struct missing___local {
	int value;
} core;

typedef struct outer outer_t;
typedef struct { int a, b; } anonymous_t;
typedef unsigned int word_t;

#define field(x, kind) __builtin_preserve_field_info(x, kind)
#define type(t, kind) __builtin_preserve_type_info(*(t *)0, kind)
#define id(t, kind) __builtin_btf_type_id(*(t *)0, kind)
#define enumerator(t, v, kind) __builtin_preserve_enum_value(*(t *)v, kind)
#define place(x) (field(x, 0) + field(x, 1) + field(x, 2))
#define all(x) (place(x) + field(x, 3))
#define shifts(x) (field(x, 4) + field(x, 5))

SEC("socket/loads")
unsigned long loads(struct outer *o)
{
	unsigned long sum = o->byte + o->number + o->large + o->negative;

	sum += (unsigned long)o->pointer + (unsigned long)o->callback;
	sum += o->nested.first + o->nested.second + o->nested.text[3];
	sum += o->table[2].first + o->table[0].second + o->grid[1][2];
	sum += o->in_union + o->deep + o->deeper + o->choice.number + o->color;
	sum += (unsigned long)&o->table[3].text[1] + o->tail->items[9].second + o[2].number;
	return sum;
}

SEC("socket/stores")
unsigned long stores(struct outer *o)
{
	o->byte = 3;
	o->number = (unsigned int)o->large;
	o->large = o->number;
	o->nested.second = o->deep;
	o->pointer = 0;
	o->grid[2][4] = 77;
	return 0;
}

SEC("socket/fields")
unsigned long fields(struct outer *o)
{
	unsigned long sum = all(o->byte) + all(o->number) + all(o->large) + all(o->negative);

	sum += place(o->pointer) + place(o->nested) + place(o->nested.text) + all(o->in_union);
	sum += all(o->deeper) + place(o->choice.pointer) + all(o->color) + place(o->callback);
	sum += place(o->real) + place(o->grid) + shifts(o->number) + shifts(o->negative);
	sum += field(o->table[1], 0) + field(o->table[1], 1) + field(o->grid[2][1], 0);
	sum += field(o->tail->items, 2);
	return sum;
}

SEC("socket/bitfields")
unsigned long bitfields(struct outer *o)
{
	struct bits *b = (void *)o;

	return all(o->bits.low) + all(b->middle) + all(b->sign) + all(b->big) + all(b->shade) +
	       shifts(b->low) + shifts(b->middle) + shifts(b->sign) + shifts(b->big) +
	       shifts(o->bits.shade);
}

SEC("socket/types")
unsigned long types(void *ctx)
{
	unsigned long sum = 0;

#define whole(t) (type(t, 0) + type(t, 1) + type(t, 2) + id(t, 0) + id(t, 1))
	sum += whole(struct outer) + whole(struct inner) + whole(union choice) + whole(outer_t);
	sum += whole(enum color) + whole(enum wide) + whole(anonymous_t) + whole(word_t);
	sum += whole(callback_t) + whole(struct missing___local) + whole(struct tail);
	sum += whole(struct bits);
	return sum;
}

SEC("socket/enumerators")
unsigned long enumerators(void *ctx)
{
#define both(t, v) (enumerator(t, v, 0) + enumerator(t, v, 1))
	return both(enum color, RED) + both(enum color, BLUE) + both(enum wide, SMALL) +
	       both(enum wide, HUGE_VALUE) + both(enum flags, FIRST);
}

SEC("socket/flavours")
unsigned long flavours(struct outer___other *o)
{
	struct missing___local *m = (void *)o;

	return o->number + all(o->number) + field(o->not_there, 2) + field(m->value, 2);
}

SEC("socket/poison")
unsigned long poison(struct outer___other *o)
{
	struct missing___local *m = (void *)o;

	return o->not_there + m->value + field(o->not_there, 0) + field(m->value, 1);
}

LICENSE("GPL");
