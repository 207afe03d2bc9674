--
-- PostgreSQL database dump
--

\restrict ovOU4U1GWpA308VO7vPHlQ6LjjJ3jdDkt50iluoMigAXs5wAeCTrPYZChn73NMp

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: notes; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.notes (
    id integer NOT NULL,
    owner uuid NOT NULL,
    title character varying(100) NOT NULL,
    body text,
    tags text[],
    meta jsonb DEFAULT '{}'::jsonb,
    price numeric(10,2),
    ok boolean DEFAULT true,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT notes_price_check CHECK ((price >= (0)::numeric))
);


ALTER TABLE public.notes OWNER TO postgres;

--
-- Name: notes_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.notes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.notes_id_seq OWNER TO postgres;

--
-- Name: notes_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.notes_id_seq OWNED BY public.notes.id;


--
-- Name: tags; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.tags (
    note integer NOT NULL,
    tag character varying(30) NOT NULL,
    n bigint NOT NULL
);


ALTER TABLE public.tags OWNER TO postgres;

--
-- Name: tags_n_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.tags ALTER COLUMN n ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tags_n_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: notes id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.notes ALTER COLUMN id SET DEFAULT nextval('public.notes_id_seq'::regclass);


--
-- Data for Name: notes; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.notes (id, owner, title, body, tags, meta, price, ok, at) FROM stdin;
1	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 1	line\twith tab\n	{a,b}	{}	1.00	t	2026-11-22 02:03:46.645762+00
2	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 2	line\twith tab\nline\twith tab\n	{a,b}	{}	2.00	t	2026-11-22 02:03:46.645762+00
3	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 3	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	3.00	t	2026-11-22 02:03:46.645762+00
4	a87ff679-a2f3-e71d-9181-a67b7542122c	title 4	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	4.00	t	2026-11-22 02:03:46.645762+00
5	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 5		{a,b}	{}	5.00	t	2026-11-22 02:03:46.645762+00
6	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 6	line\twith tab\n	{a,b}	{}	6.00	t	2026-11-22 02:03:46.645762+00
8	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 8	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	8.00	t	2026-11-22 02:03:46.645762+00
9	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 9	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	9.00	t	2026-11-22 02:03:46.645762+00
10	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 10		{a,b}	{}	10.00	t	2026-11-22 02:03:46.645762+00
11	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 11	line\twith tab\n	{a,b}	{}	11.00	t	2026-11-22 02:03:46.645762+00
12	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 12	line\twith tab\nline\twith tab\n	{a,b}	{}	12.00	t	2026-11-22 02:03:46.645762+00
13	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 13	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	13.00	t	2026-11-22 02:03:46.645762+00
14	a87ff679-a2f3-e71d-9181-a67b7542122c	title 14	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	14.00	t	2026-11-22 02:03:46.645762+00
15	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 15		{a,b}	{}	15.00	t	2026-11-22 02:03:46.645762+00
16	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 16	line\twith tab\n	{a,b}	{}	16.00	t	2026-11-22 02:03:46.645762+00
17	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 17	line\twith tab\nline\twith tab\n	{a,b}	{}	17.00	t	2026-11-22 02:03:46.645762+00
18	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 18	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	18.00	t	2026-11-22 02:03:46.645762+00
19	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 19	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	19.00	t	2026-11-22 02:03:46.645762+00
20	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 20		{a,b}	{}	20.00	t	2026-11-22 02:03:46.645762+00
21	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 21	line\twith tab\n	{a,b}	{}	21.00	t	2026-11-22 02:03:46.645762+00
22	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 22	line\twith tab\nline\twith tab\n	{a,b}	{}	22.00	t	2026-11-22 02:03:46.645762+00
23	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 23	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	23.00	t	2026-11-22 02:03:46.645762+00
24	a87ff679-a2f3-e71d-9181-a67b7542122c	title 24	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	24.00	t	2026-11-22 02:03:46.645762+00
25	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 25		{a,b}	{}	25.00	t	2026-11-22 02:03:46.645762+00
26	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 26	line\twith tab\n	{a,b}	{}	26.00	t	2026-11-22 02:03:46.645762+00
27	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 27	line\twith tab\nline\twith tab\n	{a,b}	{}	27.00	t	2026-11-22 02:03:46.645762+00
28	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 28	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	28.00	t	2026-11-22 02:03:46.645762+00
29	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 29	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	29.00	t	2026-11-22 02:03:46.645762+00
30	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 30		{a,b}	{}	30.00	t	2026-11-22 02:03:46.645762+00
31	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 31	line\twith tab\n	{a,b}	{}	31.00	t	2026-11-22 02:03:46.645762+00
32	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 32	line\twith tab\nline\twith tab\n	{a,b}	{}	32.00	t	2026-11-22 02:03:46.645762+00
33	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 33	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	33.00	t	2026-11-22 02:03:46.645762+00
34	a87ff679-a2f3-e71d-9181-a67b7542122c	title 34	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	34.00	t	2026-11-22 02:03:46.645762+00
35	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 35		{a,b}	{}	35.00	t	2026-11-22 02:03:46.645762+00
36	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 36	line\twith tab\n	{a,b}	{}	36.00	t	2026-11-22 02:03:46.645762+00
37	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 37	line\twith tab\nline\twith tab\n	{a,b}	{}	37.00	t	2026-11-22 02:03:46.645762+00
38	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 38	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	38.00	t	2026-11-22 02:03:46.645762+00
39	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 39	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	39.00	t	2026-11-22 02:03:46.645762+00
40	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 40		{a,b}	{}	40.00	t	2026-11-22 02:03:46.645762+00
41	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 41	line\twith tab\n	{a,b}	{}	41.00	t	2026-11-22 02:03:46.645762+00
42	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 42	line\twith tab\nline\twith tab\n	{a,b}	{}	42.00	t	2026-11-22 02:03:46.645762+00
43	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 43	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	43.00	t	2026-11-22 02:03:46.645762+00
44	a87ff679-a2f3-e71d-9181-a67b7542122c	title 44	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	44.00	t	2026-11-22 02:03:46.645762+00
45	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 45		{a,b}	{}	45.00	t	2026-11-22 02:03:46.645762+00
46	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 46	line\twith tab\n	{a,b}	{}	46.00	t	2026-11-22 02:03:46.645762+00
47	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 47	line\twith tab\nline\twith tab\n	{a,b}	{}	47.00	t	2026-11-22 02:03:46.645762+00
48	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 48	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	48.00	t	2026-11-22 02:03:46.645762+00
49	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 49	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	49.00	t	2026-11-22 02:03:46.645762+00
50	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 50		{a,b}	{}	50.00	t	2026-11-22 02:03:46.645762+00
51	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 51	line\twith tab\n	{a,b}	{}	51.00	t	2026-11-22 02:03:46.645762+00
52	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 52	line\twith tab\nline\twith tab\n	{a,b}	{}	52.00	t	2026-11-22 02:03:46.645762+00
53	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 53	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	53.00	t	2026-11-22 02:03:46.645762+00
54	a87ff679-a2f3-e71d-9181-a67b7542122c	title 54	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	54.00	t	2026-11-22 02:03:46.645762+00
55	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 55		{a,b}	{}	55.00	t	2026-11-22 02:03:46.645762+00
56	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 56	line\twith tab\n	{a,b}	{}	56.00	t	2026-11-22 02:03:46.645762+00
57	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 57	line\twith tab\nline\twith tab\n	{a,b}	{}	57.00	t	2026-11-22 02:03:46.645762+00
58	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 58	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	58.00	t	2026-11-22 02:03:46.645762+00
59	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 59	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	59.00	t	2026-11-22 02:03:46.645762+00
60	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 60		{a,b}	{}	60.00	t	2026-11-22 02:03:46.645762+00
61	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 61	line\twith tab\n	{a,b}	{}	61.00	t	2026-11-22 02:03:46.645762+00
62	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 62	line\twith tab\nline\twith tab\n	{a,b}	{}	62.00	t	2026-11-22 02:03:46.645762+00
63	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 63	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	63.00	t	2026-11-22 02:03:46.645762+00
64	a87ff679-a2f3-e71d-9181-a67b7542122c	title 64	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	64.00	t	2026-11-22 02:03:46.645762+00
65	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 65		{a,b}	{}	65.00	t	2026-11-22 02:03:46.645762+00
66	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 66	line\twith tab\n	{a,b}	{}	66.00	t	2026-11-22 02:03:46.645762+00
67	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 67	line\twith tab\nline\twith tab\n	{a,b}	{}	67.00	t	2026-11-22 02:03:46.645762+00
68	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 68	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	68.00	t	2026-11-22 02:03:46.645762+00
69	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 69	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	69.00	t	2026-11-22 02:03:46.645762+00
70	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 70		{a,b}	{}	70.00	t	2026-11-22 02:03:46.645762+00
71	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 71	line\twith tab\n	{a,b}	{}	71.00	t	2026-11-22 02:03:46.645762+00
72	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 72	line\twith tab\nline\twith tab\n	{a,b}	{}	72.00	t	2026-11-22 02:03:46.645762+00
73	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 73	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	73.00	t	2026-11-22 02:03:46.645762+00
74	a87ff679-a2f3-e71d-9181-a67b7542122c	title 74	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	74.00	t	2026-11-22 02:03:46.645762+00
75	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 75		{a,b}	{}	75.00	t	2026-11-22 02:03:46.645762+00
76	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 76	line\twith tab\n	{a,b}	{}	76.00	t	2026-11-22 02:03:46.645762+00
77	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 77	line\twith tab\nline\twith tab\n	{a,b}	{}	77.00	t	2026-11-22 02:03:46.645762+00
78	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 78	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	78.00	t	2026-11-22 02:03:46.645762+00
79	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 79	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	79.00	t	2026-11-22 02:03:46.645762+00
80	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 80		{a,b}	{}	80.00	t	2026-11-22 02:03:46.645762+00
81	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 81	line\twith tab\n	{a,b}	{}	81.00	t	2026-11-22 02:03:46.645762+00
82	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 82	line\twith tab\nline\twith tab\n	{a,b}	{}	82.00	t	2026-11-22 02:03:46.645762+00
83	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 83	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	83.00	t	2026-11-22 02:03:46.645762+00
84	a87ff679-a2f3-e71d-9181-a67b7542122c	title 84	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	84.00	t	2026-11-22 02:03:46.645762+00
85	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 85		{a,b}	{}	85.00	t	2026-11-22 02:03:46.645762+00
86	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 86	line\twith tab\n	{a,b}	{}	86.00	t	2026-11-22 02:03:46.645762+00
87	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 87	line\twith tab\nline\twith tab\n	{a,b}	{}	87.00	t	2026-11-22 02:03:46.645762+00
88	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 88	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	88.00	t	2026-11-22 02:03:46.645762+00
89	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 89	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	89.00	t	2026-11-22 02:03:46.645762+00
90	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 90		{a,b}	{}	90.00	t	2026-11-22 02:03:46.645762+00
91	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 91	line\twith tab\n	{a,b}	{}	91.00	t	2026-11-22 02:03:46.645762+00
92	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 92	line\twith tab\nline\twith tab\n	{a,b}	{}	92.00	t	2026-11-22 02:03:46.645762+00
93	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 93	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	93.00	t	2026-11-22 02:03:46.645762+00
94	a87ff679-a2f3-e71d-9181-a67b7542122c	title 94	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	94.00	t	2026-11-22 02:03:46.645762+00
95	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 95		{a,b}	{}	95.00	t	2026-11-22 02:03:46.645762+00
96	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 96	line\twith tab\n	{a,b}	{}	96.00	t	2026-11-22 02:03:46.645762+00
97	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 97	line\twith tab\nline\twith tab\n	{a,b}	{}	97.00	t	2026-11-22 02:03:46.645762+00
98	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 98	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	98.00	t	2026-11-22 02:03:46.645762+00
99	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 99	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	99.00	t	2026-11-22 02:03:46.645762+00
100	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 100		{a,b}	{}	100.00	t	2026-11-22 02:03:46.645762+00
101	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 101	line\twith tab\n	{a,b}	{}	101.00	t	2026-11-22 02:03:46.645762+00
102	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 102	line\twith tab\nline\twith tab\n	{a,b}	{}	102.00	t	2026-11-22 02:03:46.645762+00
103	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 103	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	103.00	t	2026-11-22 02:03:46.645762+00
104	a87ff679-a2f3-e71d-9181-a67b7542122c	title 104	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	104.00	t	2026-11-22 02:03:46.645762+00
105	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 105		{a,b}	{}	105.00	t	2026-11-22 02:03:46.645762+00
106	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 106	line\twith tab\n	{a,b}	{}	106.00	t	2026-11-22 02:03:46.645762+00
107	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 107	line\twith tab\nline\twith tab\n	{a,b}	{}	107.00	t	2026-11-22 02:03:46.645762+00
108	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 108	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	108.00	t	2026-11-22 02:03:46.645762+00
109	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 109	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	109.00	t	2026-11-22 02:03:46.645762+00
110	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 110		{a,b}	{}	110.00	t	2026-11-22 02:03:46.645762+00
111	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 111	line\twith tab\n	{a,b}	{}	111.00	t	2026-11-22 02:03:46.645762+00
112	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 112	line\twith tab\nline\twith tab\n	{a,b}	{}	112.00	t	2026-11-22 02:03:46.645762+00
113	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 113	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	113.00	t	2026-11-22 02:03:46.645762+00
114	a87ff679-a2f3-e71d-9181-a67b7542122c	title 114	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	114.00	t	2026-11-22 02:03:46.645762+00
115	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 115		{a,b}	{}	115.00	t	2026-11-22 02:03:46.645762+00
116	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 116	line\twith tab\n	{a,b}	{}	116.00	t	2026-11-22 02:03:46.645762+00
117	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 117	line\twith tab\nline\twith tab\n	{a,b}	{}	117.00	t	2026-11-22 02:03:46.645762+00
118	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 118	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	118.00	t	2026-11-22 02:03:46.645762+00
119	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 119	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	119.00	t	2026-11-22 02:03:46.645762+00
120	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 120		{a,b}	{}	120.00	t	2026-11-22 02:03:46.645762+00
121	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 121	line\twith tab\n	{a,b}	{}	121.00	t	2026-11-22 02:03:46.645762+00
122	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 122	line\twith tab\nline\twith tab\n	{a,b}	{}	122.00	t	2026-11-22 02:03:46.645762+00
123	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 123	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	123.00	t	2026-11-22 02:03:46.645762+00
124	a87ff679-a2f3-e71d-9181-a67b7542122c	title 124	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	124.00	t	2026-11-22 02:03:46.645762+00
125	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 125		{a,b}	{}	125.00	t	2026-11-22 02:03:46.645762+00
126	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 126	line\twith tab\n	{a,b}	{}	126.00	t	2026-11-22 02:03:46.645762+00
127	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 127	line\twith tab\nline\twith tab\n	{a,b}	{}	127.00	t	2026-11-22 02:03:46.645762+00
128	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 128	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	128.00	t	2026-11-22 02:03:46.645762+00
129	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 129	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	129.00	t	2026-11-22 02:03:46.645762+00
130	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 130		{a,b}	{}	130.00	t	2026-11-22 02:03:46.645762+00
131	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 131	line\twith tab\n	{a,b}	{}	131.00	t	2026-11-22 02:03:46.645762+00
132	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 132	line\twith tab\nline\twith tab\n	{a,b}	{}	132.00	t	2026-11-22 02:03:46.645762+00
133	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 133	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	133.00	t	2026-11-22 02:03:46.645762+00
134	a87ff679-a2f3-e71d-9181-a67b7542122c	title 134	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	134.00	t	2026-11-22 02:03:46.645762+00
135	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 135		{a,b}	{}	135.00	t	2026-11-22 02:03:46.645762+00
136	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 136	line\twith tab\n	{a,b}	{}	136.00	t	2026-11-22 02:03:46.645762+00
137	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 137	line\twith tab\nline\twith tab\n	{a,b}	{}	137.00	t	2026-11-22 02:03:46.645762+00
138	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 138	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	138.00	t	2026-11-22 02:03:46.645762+00
139	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 139	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	139.00	t	2026-11-22 02:03:46.645762+00
140	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 140		{a,b}	{}	140.00	t	2026-11-22 02:03:46.645762+00
141	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 141	line\twith tab\n	{a,b}	{}	141.00	t	2026-11-22 02:03:46.645762+00
142	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 142	line\twith tab\nline\twith tab\n	{a,b}	{}	142.00	t	2026-11-22 02:03:46.645762+00
143	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 143	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	143.00	t	2026-11-22 02:03:46.645762+00
144	a87ff679-a2f3-e71d-9181-a67b7542122c	title 144	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	144.00	t	2026-11-22 02:03:46.645762+00
145	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 145		{a,b}	{}	145.00	t	2026-11-22 02:03:46.645762+00
146	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 146	line\twith tab\n	{a,b}	{}	146.00	t	2026-11-22 02:03:46.645762+00
147	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 147	line\twith tab\nline\twith tab\n	{a,b}	{}	147.00	t	2026-11-22 02:03:46.645762+00
148	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 148	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	148.00	t	2026-11-22 02:03:46.645762+00
149	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 149	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	149.00	t	2026-11-22 02:03:46.645762+00
150	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 150		{a,b}	{}	150.00	t	2026-11-22 02:03:46.645762+00
151	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 151	line\twith tab\n	{a,b}	{}	151.00	t	2026-11-22 02:03:46.645762+00
152	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 152	line\twith tab\nline\twith tab\n	{a,b}	{}	152.00	t	2026-11-22 02:03:46.645762+00
153	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 153	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	153.00	t	2026-11-22 02:03:46.645762+00
154	a87ff679-a2f3-e71d-9181-a67b7542122c	title 154	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	154.00	t	2026-11-22 02:03:46.645762+00
155	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 155		{a,b}	{}	155.00	t	2026-11-22 02:03:46.645762+00
156	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 156	line\twith tab\n	{a,b}	{}	156.00	t	2026-11-22 02:03:46.645762+00
157	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 157	line\twith tab\nline\twith tab\n	{a,b}	{}	157.00	t	2026-11-22 02:03:46.645762+00
158	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 158	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	158.00	t	2026-11-22 02:03:46.645762+00
159	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 159	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	159.00	t	2026-11-22 02:03:46.645762+00
160	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 160		{a,b}	{}	160.00	t	2026-11-22 02:03:46.645762+00
161	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 161	line\twith tab\n	{a,b}	{}	161.00	t	2026-11-22 02:03:46.645762+00
162	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 162	line\twith tab\nline\twith tab\n	{a,b}	{}	162.00	t	2026-11-22 02:03:46.645762+00
163	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 163	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	163.00	t	2026-11-22 02:03:46.645762+00
164	a87ff679-a2f3-e71d-9181-a67b7542122c	title 164	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	164.00	t	2026-11-22 02:03:46.645762+00
165	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 165		{a,b}	{}	165.00	t	2026-11-22 02:03:46.645762+00
166	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 166	line\twith tab\n	{a,b}	{}	166.00	t	2026-11-22 02:03:46.645762+00
167	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 167	line\twith tab\nline\twith tab\n	{a,b}	{}	167.00	t	2026-11-22 02:03:46.645762+00
168	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 168	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	168.00	t	2026-11-22 02:03:46.645762+00
169	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 169	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	169.00	t	2026-11-22 02:03:46.645762+00
170	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 170		{a,b}	{}	170.00	t	2026-11-22 02:03:46.645762+00
171	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 171	line\twith tab\n	{a,b}	{}	171.00	t	2026-11-22 02:03:46.645762+00
172	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 172	line\twith tab\nline\twith tab\n	{a,b}	{}	172.00	t	2026-11-22 02:03:46.645762+00
173	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 173	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	173.00	t	2026-11-22 02:03:46.645762+00
174	a87ff679-a2f3-e71d-9181-a67b7542122c	title 174	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	174.00	t	2026-11-22 02:03:46.645762+00
175	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 175		{a,b}	{}	175.00	t	2026-11-22 02:03:46.645762+00
176	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 176	line\twith tab\n	{a,b}	{}	176.00	t	2026-11-22 02:03:46.645762+00
177	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 177	line\twith tab\nline\twith tab\n	{a,b}	{}	177.00	t	2026-11-22 02:03:46.645762+00
178	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 178	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	178.00	t	2026-11-22 02:03:46.645762+00
179	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 179	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	179.00	t	2026-11-22 02:03:46.645762+00
180	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 180		{a,b}	{}	180.00	t	2026-11-22 02:03:46.645762+00
181	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 181	line\twith tab\n	{a,b}	{}	181.00	t	2026-11-22 02:03:46.645762+00
182	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 182	line\twith tab\nline\twith tab\n	{a,b}	{}	182.00	t	2026-11-22 02:03:46.645762+00
183	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 183	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	183.00	t	2026-11-22 02:03:46.645762+00
184	a87ff679-a2f3-e71d-9181-a67b7542122c	title 184	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	184.00	t	2026-11-22 02:03:46.645762+00
185	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 185		{a,b}	{}	185.00	t	2026-11-22 02:03:46.645762+00
186	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 186	line\twith tab\n	{a,b}	{}	186.00	t	2026-11-22 02:03:46.645762+00
187	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 187	line\twith tab\nline\twith tab\n	{a,b}	{}	187.00	t	2026-11-22 02:03:46.645762+00
188	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 188	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	188.00	t	2026-11-22 02:03:46.645762+00
189	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 189	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	189.00	t	2026-11-22 02:03:46.645762+00
190	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 190		{a,b}	{}	190.00	t	2026-11-22 02:03:46.645762+00
191	c4ca4238-a0b9-2382-0dcc-509a6f75849b	title 191	line\twith tab\n	{a,b}	{}	191.00	t	2026-11-22 02:03:46.645762+00
192	c81e728d-9d4c-2f63-6f06-7f89cc14862c	title 192	line\twith tab\nline\twith tab\n	{a,b}	{}	192.00	t	2026-11-22 02:03:46.645762+00
193	eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3	title 193	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	193.00	t	2026-11-22 02:03:46.645762+00
194	a87ff679-a2f3-e71d-9181-a67b7542122c	title 194	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	194.00	t	2026-11-22 02:03:46.645762+00
195	e4da3b7f-bbce-2345-d777-2b0674a318d5	title 195		{a,b}	{}	195.00	t	2026-11-22 02:03:46.645762+00
196	1679091c-5a88-0faf-6fb5-e6087eb1b2dc	title 196	line\twith tab\n	{a,b}	{}	196.00	t	2026-11-22 02:03:46.645762+00
197	8f14e45f-ceea-167a-5a36-dedd4bea2543	title 197	line\twith tab\nline\twith tab\n	{a,b}	{}	197.00	t	2026-11-22 02:03:46.645762+00
198	c9f0f895-fb98-ab91-59f5-1fd0297e236d	title 198	line\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	198.00	t	2026-11-22 02:03:46.645762+00
199	45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26	title 199	line\twith tab\nline\twith tab\nline\twith tab\nline\twith tab\n	{a,b}	{}	199.00	t	2026-11-22 02:03:46.645762+00
200	cfcd2084-95d5-65ef-66e7-dff9f98764da	title 200		{a,b}	{}	200.00	t	2026-11-22 02:03:46.645762+00
201	cfcd2084-95d5-65ef-66e7-dff9f98764da	it's; quoted	it's\\n	\N	{}	\N	t	2026-11-22 02:03:46.649989+00
7	8f14e45f-ceea-167a-5a36-dedd4bea2543	x;	b	{a,b}	{}	7.00	t	2026-11-22 02:03:46.645762+00
\.


--
-- Data for Name: tags; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.tags (note, tag, n) FROM stdin;
1	t1	1
2	t2	2
3	t3	3
4	t4	4
5	t5	5
6	t6	6
7	t0	7
8	t1	8
9	t2	9
10	t3	10
11	t4	11
12	t5	12
13	t6	13
14	t0	14
15	t1	15
16	t2	16
17	t3	17
18	t4	18
19	t5	19
20	t6	20
21	t0	21
22	t1	22
23	t2	23
24	t3	24
25	t4	25
26	t5	26
27	t6	27
28	t0	28
29	t1	29
30	t2	30
31	t3	31
32	t4	32
33	t5	33
34	t6	34
35	t0	35
36	t1	36
37	t2	37
38	t3	38
39	t4	39
40	t5	40
41	t6	41
42	t0	42
43	t1	43
44	t2	44
45	t3	45
46	t4	46
47	t5	47
48	t6	48
49	t0	49
50	t1	50
51	t2	51
52	t3	52
53	t4	53
54	t5	54
55	t6	55
56	t0	56
57	t1	57
58	t2	58
59	t3	59
60	t4	60
61	t5	61
62	t6	62
63	t0	63
64	t1	64
65	t2	65
66	t3	66
67	t4	67
68	t5	68
69	t6	69
70	t0	70
71	t1	71
72	t2	72
73	t3	73
74	t4	74
75	t5	75
76	t6	76
77	t0	77
78	t1	78
79	t2	79
80	t3	80
81	t4	81
82	t5	82
83	t6	83
84	t0	84
85	t1	85
86	t2	86
87	t3	87
88	t4	88
89	t5	89
90	t6	90
91	t0	91
92	t1	92
93	t2	93
94	t3	94
95	t4	95
96	t5	96
97	t6	97
98	t0	98
99	t1	99
100	t2	100
101	t3	101
102	t4	102
103	t5	103
104	t6	104
105	t0	105
106	t1	106
107	t2	107
108	t3	108
109	t4	109
110	t5	110
111	t6	111
112	t0	112
113	t1	113
114	t2	114
115	t3	115
116	t4	116
117	t5	117
118	t6	118
119	t0	119
120	t1	120
121	t2	121
122	t3	122
123	t4	123
124	t5	124
125	t6	125
126	t0	126
127	t1	127
128	t2	128
129	t3	129
130	t4	130
131	t5	131
132	t6	132
133	t0	133
134	t1	134
135	t2	135
136	t3	136
137	t4	137
138	t5	138
139	t6	139
140	t0	140
141	t1	141
142	t2	142
143	t3	143
144	t4	144
145	t5	145
146	t6	146
147	t0	147
148	t1	148
149	t2	149
150	t3	150
151	t4	151
152	t5	152
153	t6	153
154	t0	154
155	t1	155
156	t2	156
157	t3	157
158	t4	158
159	t5	159
160	t6	160
161	t0	161
162	t1	162
163	t2	163
164	t3	164
165	t4	165
166	t5	166
167	t6	167
168	t0	168
169	t1	169
170	t2	170
171	t3	171
172	t4	172
173	t5	173
174	t6	174
175	t0	175
176	t1	176
177	t2	177
178	t3	178
179	t4	179
180	t5	180
181	t6	181
182	t0	182
183	t1	183
184	t2	184
185	t3	185
186	t4	186
187	t5	187
188	t6	188
189	t0	189
190	t1	190
191	t2	191
192	t3	192
193	t4	193
194	t5	194
195	t6	195
196	t0	196
197	t1	197
198	t2	198
199	t3	199
200	t4	200
\.


--
-- Name: notes_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.notes_id_seq', 201, true);


--
-- Name: tags_n_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.tags_n_seq', 201, true);


--
-- Name: notes notes_owner_title_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_owner_title_key UNIQUE (owner, title);


--
-- Name: notes notes_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (id);


--
-- Name: tags tags_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (note, tag);


--
-- Name: notes_at; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX notes_at ON public.notes USING btree (at);


--
-- Name: notes_lower; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX notes_lower ON public.notes USING btree (lower((title)::text));


--
-- Name: notes t; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER t BEFORE UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.f();


--
-- Name: tags tags_note_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_note_fkey FOREIGN KEY (note) REFERENCES public.notes(id);


--
-- PostgreSQL database dump complete
--

\unrestrict ovOU4U1GWpA308VO7vPHlQ6LjjJ3jdDkt50iluoMigAXs5wAeCTrPYZChn73NMp

