const plain = new Intl.NumberFormat("en-US");

/** 18204 as "18,204". */
export const formatCount = (n: number): string => plain.format(n);

/** "1 alert", "312 alerts". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${formatCount(n)} ${n === 1 ? one : many}`;
