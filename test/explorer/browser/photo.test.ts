import { contract } from '../contract.ts'
import { photo } from '../pages/photo.ts'

contract(photo)
