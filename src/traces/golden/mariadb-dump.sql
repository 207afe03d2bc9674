/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1-log

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `audit`
--

DROP TABLE IF EXISTS `audit`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `audit` (
  `at` datetime DEFAULT NULL,
  `what` varchar(200) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `audit`
--

LOCK TABLES `audit` WRITE;
/*!40000 ALTER TABLE `audit` DISABLE KEYS */;
INSERT INTO `audit` VALUES
('2026-11-22 02:03:44','order 200000'),
('2026-11-22 02:03:44','order 200007'),
('2026-11-22 02:03:44','order 100010'),
('2026-11-22 02:03:44','order 100038'),
('2026-11-22 02:03:44','order 200051'),
('2026-11-22 02:03:44','order 200072'),
('2026-11-22 02:03:44','order 100081'),
('2026-11-22 02:03:44','order 100097'),
('2026-11-22 02:03:44','order 200089'),
('2026-11-22 02:03:44','order 200090'),
('2026-11-22 02:03:44','order 100102'),
('2026-11-22 02:03:44','order 200101'),
('2026-11-22 02:03:44','order 100106'),
('2026-11-22 02:03:44','order 200115'),
('2026-11-22 02:03:44','order 200119'),
('2026-11-22 02:03:44','order 100134'),
('2026-11-22 02:03:44','order 200133'),
('2026-11-22 02:03:44','order 200143'),
('2026-11-22 02:03:44','order 100156'),
('2026-11-22 02:03:44','order 200154'),
('2026-11-22 02:03:44','order 200162'),
('2026-11-22 02:03:44','order 200166'),
('2026-11-22 02:03:44','order 100199'),
('2026-11-22 02:03:44','order 200204'),
('2026-11-22 02:03:44','order 100210'),
('2026-11-22 02:03:44','order 200219'),
('2026-11-22 02:03:44','order 200240'),
('2026-11-22 02:03:44','order 100255'),
('2026-11-22 02:03:44','order 100258'),
('2026-11-22 02:03:44','order 100283'),
('2026-11-22 02:03:44','order 100294');
/*!40000 ALTER TABLE `audit` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `customers`
--

DROP TABLE IF EXISTS `customers`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `customers` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `email` varchar(120) NOT NULL,
  `name` varchar(80) DEFAULT NULL COMMENT 'as on the card; may hold '' and ;',
  `balance` decimal(12,2) NOT NULL DEFAULT 0.00,
  `active` tinyint(1) NOT NULL DEFAULT 1,
  `created_at` datetime NOT NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE KEY `email` (`email`),
  KEY `by_name` (`name`(20))
) ENGINE=InnoDB AUTO_INCREMENT=201 DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `customers`
--

LOCK TABLES `customers` WRITE;
/*!40000 ALTER TABLE `customers` DISABLE KEYS */;
INSERT INTO `customers` VALUES
(1,'u1@example.org','NÃ¤me 1',17.16,1,'2026-11-22 02:03:44'),
(2,'u2@example.org','NÃ¤me 2',5.13,1,'2026-11-22 02:03:44'),
(3,'u3@example.org','NÃ¤me 3',14.71,1,'2026-11-22 02:03:44'),
(4,'u4@example.org','NÃ¤me 4',0.65,1,'2026-11-22 02:03:44'),
(5,'u5@example.org','NÃ¤me 5',8.30,1,'2026-11-22 02:03:44'),
(6,'u6@example.org','NÃ¤me 6',7.96,1,'2026-11-22 02:03:44'),
(7,'u7@example.org','NÃ¤me 7',0.50,1,'2026-11-22 02:03:44'),
(8,'u8@example.org','NÃ¤me 8',3.79,1,'2026-11-22 02:03:44'),
(9,'u9@example.org','NÃ¤me 9',7.50,1,'2026-11-22 02:03:44'),
(10,'u10@example.org','NÃ¤me 10',4.78,1,'2026-11-22 02:03:44'),
(11,'u11@example.org','NÃ¤me 11',0.00,1,'2026-11-22 02:03:44'),
(12,'u12@example.org','NÃ¤me 12',3.54,1,'2026-11-22 02:03:44'),
(13,'u13@example.org','NÃ¤me 13',0.00,1,'2026-11-22 02:03:44'),
(14,'u14@example.org','NÃ¤me 14',8.01,1,'2026-11-22 02:03:44'),
(15,'u15@example.org','NÃ¤me 15',0.00,1,'2026-11-22 02:03:44'),
(16,'u16@example.org','NÃ¤me 16',0.00,1,'2026-11-22 02:03:44'),
(17,'u17@example.org','NÃ¤me 17',0.00,1,'2026-11-22 02:03:44'),
(18,'u18@example.org','NÃ¤me 18',4.10,1,'2026-11-22 02:03:44'),
(19,'u19@example.org','NÃ¤me 19',0.00,1,'2026-11-22 02:03:44'),
(20,'u20@example.org','NÃ¤me 20',1.09,1,'2026-11-22 02:03:44'),
(21,'u21@example.org','NÃ¤me 21',0.11,1,'2026-11-22 02:03:44'),
(22,'u22@example.org','NÃ¤me 22',0.00,1,'2026-11-22 02:03:44'),
(23,'u23@example.org','NÃ¤me 23',3.64,1,'2026-11-22 02:03:44'),
(24,'u24@example.org','NÃ¤me 24',-1.00,1,'2026-11-22 02:03:44'),
(25,'u25@example.org','NÃ¤me 25',9.25,1,'2026-11-22 02:03:44'),
(26,'u26@example.org','NÃ¤me 26',0.00,1,'2026-11-22 02:03:44'),
(27,'u27@example.org','NÃ¤me 27',0.58,1,'2026-11-22 02:03:44'),
(28,'u28@example.org','NÃ¤me 28',0.00,1,'2026-11-22 02:03:44'),
(29,'u29@example.org','NÃ¤me 29',0.00,1,'2026-11-22 02:03:44'),
(30,'u30@example.org','NÃ¤me 30',0.00,1,'2026-11-22 02:03:44'),
(31,'u31@example.org','NÃ¤me 31',0.00,1,'2026-11-22 02:03:44'),
(32,'u32@example.org','NÃ¤me 32',0.79,1,'2026-11-22 02:03:44'),
(33,'u33@example.org','NÃ¤me 33',0.00,1,'2026-11-22 02:03:44'),
(34,'u34@example.org','NÃ¤me 34',0.55,1,'2026-11-22 02:03:44'),
(35,'u35@example.org','NÃ¤me 35',0.00,1,'2026-11-22 02:03:44'),
(36,'u36@example.org','NÃ¤me 36',3.05,1,'2026-11-22 02:03:44'),
(37,'u37@example.org','NÃ¤me 37',0.00,1,'2026-11-22 02:03:44'),
(38,'u38@example.org','NÃ¤me 38',-1.00,1,'2026-11-22 02:03:44'),
(39,'u39@example.org','NÃ¤me 39',0.00,1,'2026-11-22 02:03:44'),
(40,'u40@example.org','NÃ¤me 40',4.11,1,'2026-11-22 02:03:44'),
(41,'u41@example.org','NÃ¤me 41',0.00,1,'2026-11-22 02:03:44'),
(42,'u42@example.org','NÃ¤me 42',0.00,1,'2026-11-22 02:03:44'),
(43,'u43@example.org','NÃ¤me 43',0.00,1,'2026-11-22 02:03:44'),
(44,'u44@example.org','NÃ¤me 44',0.00,1,'2026-11-22 02:03:44'),
(45,'u45@example.org','NÃ¤me 45',0.00,1,'2026-11-22 02:03:44'),
(46,'u46@example.org','NÃ¤me 46',6.90,1,'2026-11-22 02:03:44'),
(47,'u47@example.org','NÃ¤me 47',0.00,1,'2026-11-22 02:03:44'),
(48,'u48@example.org','NÃ¤me 48',0.00,1,'2026-11-22 02:03:44'),
(49,'u49@example.org','NÃ¤me 49',0.00,1,'2026-11-22 02:03:44'),
(50,'u50@example.org','NÃ¤me 50',-1.00,1,'2026-11-22 02:03:44'),
(51,'u51@example.org','NÃ¤me 51',0.00,1,'2026-11-22 02:03:44'),
(52,'u52@example.org','NÃ¤me 52',0.00,1,'2026-11-22 02:03:44'),
(53,'u53@example.org','NÃ¤me 53',3.10,1,'2026-11-22 02:03:44'),
(54,'u54@example.org','NÃ¤me 54',0.00,1,'2026-11-22 02:03:44'),
(55,'u55@example.org','NÃ¤me 55',0.00,1,'2026-11-22 02:03:44'),
(56,'u56@example.org','NÃ¤me 56',2.51,1,'2026-11-22 02:03:44'),
(57,'u57@example.org','NÃ¤me 57',0.00,1,'2026-11-22 02:03:44'),
(58,'u58@example.org','NÃ¤me 58',0.00,1,'2026-11-22 02:03:44'),
(59,'u59@example.org','NÃ¤me 59',0.00,1,'2026-11-22 02:03:44'),
(60,'u60@example.org','NÃ¤me 60',4.99,1,'2026-11-22 02:03:44'),
(61,'u61@example.org','NÃ¤me 61',0.00,1,'2026-11-22 02:03:44'),
(62,'u62@example.org','NÃ¤me 62',4.65,1,'2026-11-22 02:03:44'),
(63,'u63@example.org','NÃ¤me 63',4.19,1,'2026-11-22 02:03:44'),
(64,'u64@example.org','NÃ¤me 64',0.00,1,'2026-11-22 02:03:44'),
(65,'u65@example.org','NÃ¤me 65',-1.00,1,'2026-11-22 02:03:44'),
(66,'u66@example.org','NÃ¤me 66',0.00,1,'2026-11-22 02:03:44'),
(67,'u67@example.org','NÃ¤me 67',0.00,1,'2026-11-22 02:03:44'),
(68,'u68@example.org','NÃ¤me 68',0.00,1,'2026-11-22 02:03:44'),
(69,'u69@example.org','NÃ¤me 69',0.00,1,'2026-11-22 02:03:44'),
(70,'u70@example.org','NÃ¤me 70',0.00,1,'2026-11-22 02:03:44'),
(71,'u71@example.org','NÃ¤me 71',0.00,1,'2026-11-22 02:03:44'),
(72,'u72@example.org','NÃ¤me 72',0.00,1,'2026-11-22 02:03:44'),
(73,'u73@example.org','NÃ¤me 73',0.00,1,'2026-11-22 02:03:44'),
(74,'u74@example.org','NÃ¤me 74',0.97,1,'2026-11-22 02:03:44'),
(75,'u75@example.org','NÃ¤me 75',0.00,1,'2026-11-22 02:03:44'),
(76,'u76@example.org','NÃ¤me 76',0.00,1,'2026-11-22 02:03:44'),
(77,'u77@example.org','NÃ¤me 77',0.00,1,'2026-11-22 02:03:44'),
(78,'u78@example.org','NÃ¤me 78',3.43,1,'2026-11-22 02:03:44'),
(79,'u79@example.org','NÃ¤me 79',-1.00,1,'2026-11-22 02:03:44'),
(80,'u80@example.org','NÃ¤me 80',3.54,1,'2026-11-22 02:03:44'),
(81,'u81@example.org','NÃ¤me 81',0.00,1,'2026-11-22 02:03:44'),
(82,'u82@example.org','NÃ¤me 82',0.00,1,'2026-11-22 02:03:44'),
(83,'u83@example.org','NÃ¤me 83',0.00,1,'2026-11-22 02:03:44'),
(84,'u84@example.org','NÃ¤me 84',0.00,1,'2026-11-22 02:03:44'),
(85,'u85@example.org','NÃ¤me 85',3.22,1,'2026-11-22 02:03:44'),
(86,'u86@example.org','NÃ¤me 86',0.00,1,'2026-11-22 02:03:44'),
(87,'u87@example.org','NÃ¤me 87',0.00,1,'2026-11-22 02:03:44'),
(88,'u88@example.org','NÃ¤me 88',0.00,1,'2026-11-22 02:03:44'),
(89,'u89@example.org','NÃ¤me 89',2.89,1,'2026-11-22 02:03:44'),
(90,'u90@example.org','NÃ¤me 90',0.00,1,'2026-11-22 02:03:44'),
(91,'u91@example.org','NÃ¤me 91',0.00,1,'2026-11-22 02:03:44'),
(92,'u92@example.org','NÃ¤me 92',0.00,1,'2026-11-22 02:03:44'),
(93,'u93@example.org','NÃ¤me 93',3.73,1,'2026-11-22 02:03:44'),
(94,'u94@example.org','NÃ¤me 94',0.00,1,'2026-11-22 02:03:44'),
(95,'u95@example.org','NÃ¤me 95',0.00,1,'2026-11-22 02:03:44'),
(96,'u96@example.org','NÃ¤me 96',0.00,1,'2026-11-22 02:03:44'),
(97,'u97@example.org','NÃ¤me 97',0.00,1,'2026-11-22 02:03:44'),
(98,'u98@example.org','NÃ¤me 98',0.00,1,'2026-11-22 02:03:44'),
(99,'u99@example.org','NÃ¤me 99',0.00,1,'2026-11-22 02:03:44'),
(100,'u100@example.org','NÃ¤me 100',3.34,1,'2026-11-22 02:03:44'),
(101,'u101@example.org','NÃ¤me 101',0.00,1,'2026-11-22 02:03:44'),
(102,'u102@example.org','NÃ¤me 102',0.75,1,'2026-11-22 02:03:44'),
(103,'u103@example.org','NÃ¤me 103',0.00,1,'2026-11-22 02:03:44'),
(104,'u104@example.org','NÃ¤me 104',0.00,1,'2026-11-22 02:03:44'),
(105,'u105@example.org','NÃ¤me 105',0.00,1,'2026-11-22 02:03:44'),
(106,'u106@example.org','NÃ¤me 106',0.00,1,'2026-11-22 02:03:44'),
(107,'u107@example.org','NÃ¤me 107',0.00,1,'2026-11-22 02:03:44'),
(108,'u108@example.org','NÃ¤me 108',0.00,1,'2026-11-22 02:03:44'),
(109,'u109@example.org','NÃ¤me 109',0.00,1,'2026-11-22 02:03:44'),
(110,'u110@example.org','NÃ¤me 110',0.00,1,'2026-11-22 02:03:44'),
(111,'u111@example.org','NÃ¤me 111',0.00,1,'2026-11-22 02:03:44'),
(112,'u112@example.org','NÃ¤me 112',0.00,1,'2026-11-22 02:03:44'),
(113,'u113@example.org','NÃ¤me 113',0.00,1,'2026-11-22 02:03:44'),
(114,'u114@example.org','NÃ¤me 114',0.00,1,'2026-11-22 02:03:44'),
(115,'u115@example.org','NÃ¤me 115',0.00,1,'2026-11-22 02:03:44'),
(116,'u116@example.org','NÃ¤me 116',2.60,1,'2026-11-22 02:03:44'),
(117,'u117@example.org','NÃ¤me 117',0.00,1,'2026-11-22 02:03:44'),
(118,'u118@example.org','NÃ¤me 118',0.00,1,'2026-11-22 02:03:44'),
(119,'u119@example.org','NÃ¤me 119',0.00,1,'2026-11-22 02:03:44'),
(120,'u120@example.org','NÃ¤me 120',0.00,1,'2026-11-22 02:03:44'),
(121,'u121@example.org','NÃ¤me 121',0.00,1,'2026-11-22 02:03:44'),
(122,'u122@example.org','NÃ¤me 122',3.11,1,'2026-11-22 02:03:44'),
(123,'u123@example.org','NÃ¤me 123',0.00,1,'2026-11-22 02:03:44'),
(124,'u124@example.org','NÃ¤me 124',0.70,1,'2026-11-22 02:03:44'),
(125,'u125@example.org','NÃ¤me 125',0.00,1,'2026-11-22 02:03:44'),
(126,'u126@example.org','NÃ¤me 126',0.00,1,'2026-11-22 02:03:44'),
(127,'u127@example.org','NÃ¤me 127',0.00,1,'2026-11-22 02:03:44'),
(128,'u128@example.org','NÃ¤me 128',0.00,1,'2026-11-22 02:03:44'),
(129,'u129@example.org','NÃ¤me 129',0.00,1,'2026-11-22 02:03:44'),
(130,'u130@example.org','NÃ¤me 130',-1.00,1,'2026-11-22 02:03:44'),
(131,'u131@example.org','NÃ¤me 131',0.00,1,'2026-11-22 02:03:44'),
(132,'u132@example.org','NÃ¤me 132',0.00,1,'2026-11-22 02:03:44'),
(133,'u133@example.org','NÃ¤me 133',-1.00,1,'2026-11-22 02:03:44'),
(134,'u134@example.org','NÃ¤me 134',0.00,1,'2026-11-22 02:03:44'),
(135,'u135@example.org','NÃ¤me 135',0.00,1,'2026-11-22 02:03:44'),
(136,'u136@example.org','NÃ¤me 136',0.00,1,'2026-11-22 02:03:44'),
(137,'u137@example.org','NÃ¤me 137',0.00,1,'2026-11-22 02:03:44'),
(138,'u138@example.org','NÃ¤me 138',0.00,1,'2026-11-22 02:03:44'),
(139,'u139@example.org','NÃ¤me 139',2.68,1,'2026-11-22 02:03:44'),
(140,'u140@example.org','NÃ¤me 140',0.00,1,'2026-11-22 02:03:44'),
(141,'u141@example.org','NÃ¤me 141',0.00,1,'2026-11-22 02:03:44'),
(142,'u142@example.org','NÃ¤me 142',0.00,1,'2026-11-22 02:03:44'),
(143,'u143@example.org','NÃ¤me 143',0.00,1,'2026-11-22 02:03:44'),
(144,'u144@example.org','NÃ¤me 144',0.00,1,'2026-11-22 02:03:44'),
(145,'u145@example.org','NÃ¤me 145',0.00,1,'2026-11-22 02:03:44'),
(146,'u146@example.org','NÃ¤me 146',0.00,1,'2026-11-22 02:03:44'),
(147,'u147@example.org','NÃ¤me 147',0.00,1,'2026-11-22 02:03:44'),
(148,'u148@example.org','NÃ¤me 148',0.00,1,'2026-11-22 02:03:44'),
(149,'u149@example.org','NÃ¤me 149',0.00,1,'2026-11-22 02:03:44'),
(150,'u150@example.org','NÃ¤me 150',0.00,1,'2026-11-22 02:03:44'),
(151,'u151@example.org','NÃ¤me 151',0.50,1,'2026-11-22 02:03:44'),
(152,'u152@example.org','NÃ¤me 152',0.00,1,'2026-11-22 02:03:44'),
(153,'u153@example.org','NÃ¤me 153',0.00,1,'2026-11-22 02:03:44'),
(154,'u154@example.org','NÃ¤me 154',0.00,1,'2026-11-22 02:03:44'),
(155,'u155@example.org','NÃ¤me 155',0.00,1,'2026-11-22 02:03:44'),
(156,'u156@example.org','NÃ¤me 156',-1.00,1,'2026-11-22 02:03:44'),
(157,'u157@example.org','NÃ¤me 157',2.59,1,'2026-11-22 02:03:44'),
(158,'u158@example.org','NÃ¤me 158',0.00,1,'2026-11-22 02:03:44'),
(159,'u159@example.org','NÃ¤me 159',0.00,1,'2026-11-22 02:03:44'),
(160,'u160@example.org','NÃ¤me 160',0.00,1,'2026-11-22 02:03:44'),
(161,'u161@example.org','NÃ¤me 161',0.00,1,'2026-11-22 02:03:44'),
(162,'u162@example.org','NÃ¤me 162',0.00,1,'2026-11-22 02:03:44'),
(163,'u163@example.org','NÃ¤me 163',0.00,1,'2026-11-22 02:03:44'),
(164,'u164@example.org','NÃ¤me 164',4.99,1,'2026-11-22 02:03:44'),
(165,'u165@example.org','NÃ¤me 165',0.00,1,'2026-11-22 02:03:44'),
(166,'u166@example.org','NÃ¤me 166',0.00,1,'2026-11-22 02:03:44'),
(167,'u167@example.org','NÃ¤me 167',0.00,1,'2026-11-22 02:03:44'),
(168,'u168@example.org','NÃ¤me 168',2.73,1,'2026-11-22 02:03:44'),
(169,'u169@example.org','NÃ¤me 169',0.00,1,'2026-11-22 02:03:44'),
(170,'u170@example.org','NÃ¤me 170',0.00,1,'2026-11-22 02:03:44'),
(171,'u171@example.org','NÃ¤me 171',0.00,1,'2026-11-22 02:03:44'),
(172,'u172@example.org','NÃ¤me 172',0.00,1,'2026-11-22 02:03:44'),
(173,'u173@example.org','NÃ¤me 173',0.00,1,'2026-11-22 02:03:44'),
(174,'u174@example.org','NÃ¤me 174',2.65,1,'2026-11-22 02:03:44'),
(175,'u175@example.org','NÃ¤me 175',0.00,1,'2026-11-22 02:03:44'),
(176,'u176@example.org','NÃ¤me 176',0.00,1,'2026-11-22 02:03:44'),
(177,'u177@example.org','NÃ¤me 177',0.00,1,'2026-11-22 02:03:44'),
(178,'u178@example.org','NÃ¤me 178',0.00,1,'2026-11-22 02:03:44'),
(179,'u179@example.org','NÃ¤me 179',0.00,1,'2026-11-22 02:03:44'),
(180,'u180@example.org','NÃ¤me 180',0.00,1,'2026-11-22 02:03:44'),
(181,'u181@example.org','NÃ¤me 181',0.00,1,'2026-11-22 02:03:44'),
(182,'u182@example.org','NÃ¤me 182',0.00,1,'2026-11-22 02:03:44'),
(183,'u183@example.org','NÃ¤me 183',0.00,1,'2026-11-22 02:03:44'),
(184,'u184@example.org','NÃ¤me 184',0.00,1,'2026-11-22 02:03:44'),
(185,'u185@example.org','NÃ¤me 185',0.00,1,'2026-11-22 02:03:44'),
(186,'u186@example.org','NÃ¤me 186',0.00,1,'2026-11-22 02:03:44'),
(187,'u187@example.org','NÃ¤me 187',0.00,1,'2026-11-22 02:03:44'),
(188,'u188@example.org','NÃ¤me 188',0.00,1,'2026-11-22 02:03:44'),
(189,'u189@example.org','NÃ¤me 189',0.00,1,'2026-11-22 02:03:44'),
(190,'u190@example.org','NÃ¤me 190',0.00,1,'2026-11-22 02:03:44'),
(191,'u191@example.org','NÃ¤me 191',0.00,1,'2026-11-22 02:03:44'),
(192,'u192@example.org','NÃ¤me 192',0.00,1,'2026-11-22 02:03:44'),
(193,'u193@example.org','NÃ¤me 193',0.00,1,'2026-11-22 02:03:44'),
(194,'u194@example.org','NÃ¤me 194',0.00,1,'2026-11-22 02:03:44'),
(195,'u195@example.org','NÃ¤me 195',-1.00,1,'2026-11-22 02:03:44'),
(196,'u196@example.org','NÃ¤me 196',0.00,1,'2026-11-22 02:03:44'),
(197,'u197@example.org','NÃ¤me 197',0.00,1,'2026-11-22 02:03:44'),
(198,'u198@example.org','NÃ¤me 198',0.00,1,'2026-11-22 02:03:44'),
(199,'u199@example.org','NÃ¤me 199',0.00,1,'2026-11-22 02:03:44'),
(200,'u200@example.org','NÃ¤me 200',0.00,1,'2026-11-22 02:03:44');
/*!40000 ALTER TABLE `customers` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Temporary table structure for view `open_orders`
--

DROP TABLE IF EXISTS `open_orders`;
/*!50001 DROP VIEW IF EXISTS `open_orders`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `open_orders` AS SELECT
 NULL AS `customer_id`,
 NULL AS `number`,
 NULL AS `status`,
 NULL AS `note`,
 NULL AS `placed` */;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `orders`
--

DROP TABLE IF EXISTS `orders`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `orders` (
  `customer_id` bigint(20) unsigned NOT NULL,
  `number` int(11) NOT NULL,
  `status` enum('open','paid','sent') NOT NULL DEFAULT 'open',
  `note` text DEFAULT NULL,
  `placed` timestamp NOT NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`customer_id`,`number`),
  KEY `by_status` (`status`,`placed`),
  CONSTRAINT `orders_customer` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`) ON DELETE CASCADE,
  CONSTRAINT `positive` CHECK (`number` > 0)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `orders`
--

LOCK TABLES `orders` WRITE;
/*!40000 ALTER TABLE `orders` DISABLE KEYS */;
INSERT INTO `orders` VALUES
(1,100134,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(1,100156,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(1,100258,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(1,200051,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(1,200133,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(1,200240,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(2,100038,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(2,100102,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(2,100106,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(2,200072,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(3,200154,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(4,100081,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(4,100294,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(4,200219,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(5,200101,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(6,100210,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(7,100199,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(14,100010,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(18,200090,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(24,100255,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(32,200119,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(34,200204,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(38,200143,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(50,200166,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(65,200115,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(79,100097,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(102,200089,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(130,200162,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(133,100283,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(156,200000,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44'),
(195,200007,'open','it\'s \'new\'; really -- # /* no comment */','2026-11-22 02:03:44');
/*!40000 ALTER TABLE `orders` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb3 */ ;
/*!50003 SET character_set_results = utf8mb3 */ ;
/*!50003 SET collation_connection  = utf8mb3_general_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER audit_orders AFTER INSERT ON orders FOR EACH ROW BEGIN
  INSERT INTO audit VALUES (now(), concat('order ', NEW.number)); END 
*/;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Table structure for table `sessions`
--

DROP TABLE IF EXISTS `sessions`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `sessions` (
  `token` varbinary(32) NOT NULL,
  `data` blob DEFAULT NULL,
  `expires_at` datetime NOT NULL,
  PRIMARY KEY (`token`),
  KEY `expires_at` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `sessions`
--

LOCK TABLES `sessions` WRITE;
/*!40000 ALTER TABLE `sessions` DISABLE KEYS */;
INSERT INTO `sessions` VALUES
('\0Ç\r&Y©,*¤®øÂ™Ï,','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('b‡H”>ÂZpSn›‡BÎÒ','ddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('sWz¯ØpÓıÚZŸù•','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('J!÷]ÑÑƒœJgÃ[úk','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('L\"\013¯6u`–¾œ,h’0','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('PùlÔ¯ù&\Z©,oì”','dddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('dmô…\rÜ,-ÿRi:N,L','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('¨ã<”÷€GÏ×ˆÇÌíTı','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('«™%Jéã\\Ô}8\rùÁö','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('­œíŞ|§´aÌrTï','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('³pMSê;ÒùRj(UP|','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('ÄZ)ÆôÙĞÌRcÖ\0D','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('Èş¥×7çê@\0‚=','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('Ï#Êèƒ32½‘¡·ğ>Ü§','ddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('ÓòÌ+è‹FuúmØ‘ıè\\','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('Ş@Ràæ6Ñy¯Ï°Ïú\\¦,','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('çFëëÍ~€¢ğ£¦haáè\r','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44'),
('ø~¸ ›\'ìqCÆŒBT$¡','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2026-11-22 02:33:44');
/*!40000 ALTER TABLE `sessions` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Dumping routines for database 'shop'
--
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION' */ ;
/*!50003 DROP PROCEDURE IF EXISTS `close_orders` */;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb3 */ ;
/*!50003 SET character_set_results = utf8mb3 */ ;
/*!50003 SET collation_connection  = utf8mb3_general_ci */ ;
DELIMITER ;;
CREATE DEFINER=`root`@`localhost` PROCEDURE `close_orders`()
BEGIN UPDATE orders SET status='sent' WHERE status='paid'; END
;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Final view structure for view `open_orders`
--

/*!50001 DROP VIEW IF EXISTS `open_orders`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb3 */;
/*!50001 SET character_set_results     = utf8mb3 */;
/*!50001 SET collation_connection      = utf8mb3_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `open_orders` AS select `orders`.`customer_id` AS `customer_id`,`orders`.`number` AS `number`,`orders`.`status` AS `status`,`orders`.`note` AS `note`,`orders`.`placed` AS `placed` from `orders` where `orders`.`status` = 'open' */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-22  2:03:44
